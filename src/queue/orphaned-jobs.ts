import { list, text } from '../redis/script.js';
import { fetch } from '../redis/scripts/fetch.js';
import type { JobStore } from './job-store.js';

/**
 * Removes records of jobs that are in no state: Drover leaves none behind, so something else wrote to the queue's keys.
 * Looks through the queue `step` jobs at a time and stops after `most` removals; answers how many there were.
 */
export async function removeOrphans(jobs: JobStore, step: number, most: number): Promise<number> {
  const { connection, keys } = jobs;
  let [removed, cursor] = [0, '0'];
  do {
    const [next, fields] = list(await connection.command('hscan', [keys.key('job'), cursor, 'COUNT', step], 'look for orphaned jobs'));
    cursor = text(next);
    const ids = list(fields).filter((_, i) => i % 2 === 0).map(text);
    const found = await fetchAll(jobs, ids);
    const orphans = found.filter((job) => job.record && !job.place).map((job) => job.id).slice(0, most - removed);
    if (orphans.length > 0) await forget(jobs, orphans);
    removed += orphans.length;
  } while (cursor !== '0' && removed < most);
  return removed;
}

async function fetchAll({ connection, keys }: JobStore, ids: readonly string[]): Promise<Awaited<ReturnType<typeof fetch.reply>>> {
  const pages: Awaited<ReturnType<typeof fetch.reply>>[] = [];
  for (let from = 0; from < ids.length; from += 1000) pages.push(await connection.run(fetch, keys, { ids: ids.slice(from, from + 1000) }));
  return pages.flat();
}

async function forget({ connection, keys }: JobStore, ids: readonly string[]): Promise<void> {
  for (const name of ['state', 'outcome', 'history', 'progress', 'logs', 'run', 'job'] as const) {
    await connection.command('hdel', [keys.key(name), ...ids], 'remove orphaned jobs');
  }
}
