import type { JobStore } from '../queue/job-store.js';
import { readLetter, type Letter } from '../redis/letters.js';
import { bytes, list, text, type RawReply } from '../redis/script.js';

const pageSize = 1000;

/**
 * Delivers letters that their writer left in the outbox, because it crashed or lost its connection. Letters younger than
 * `minAgeMs` are left to it: it is probably about to deliver them. Answers how many were delivered.
 */
export async function deliverLeftovers(jobs: JobStore, minAgeMs: number, failed: (error: Error) => void): Promise<number> {
  const { connection, keys, courier } = jobs;
  let cursor = '0';
  let delivered = 0;
  do {
    const [next, page] = list(await connection.command('hscan', [keys.key('outbox'), cursor, 'COUNT', pageSize], 'look for letters'));
    const bound = (connection.now - minAgeMs) * 1000;
    const letters = (await readAll(jobs, list(page), failed)).filter(({ head: { stamp } }) => minAgeMs === 0 || stamp <= bound);
    await courier.deliver(letters);
    delivered += letters.length;
    cursor = text(next);
  } while (cursor !== '0');
  return delivered;
}

async function readAll({ connection, keys }: JobStore, fields: RawReply[], failed: (error: Error) => void): Promise<Letter[]> {
  const letters: Letter[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const id = text(fields[i]);
    try {
      letters.push(readLetter(id, bytes(fields[i + 1]) ?? Buffer.alloc(0)));
    } catch (error) {
      // Nobody can ever deliver it; its parent is helped by asking after the child.
      await connection.command('hdel', [keys.key('outbox'), id], 'set a damaged letter aside');
      failed(error as Error);
    }
  }
  return letters;
}
