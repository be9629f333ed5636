import { appendFileSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/servers/guardian.js';
import { HistoryWriter, readHistory, type HistoryEvent } from './history.js';
import { spawnNode } from './processes.js';

async function read(folder: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const event of readHistory(folder)) events.push(event);
  return events;
}

function onlyFile(folder: string): string {
  const [file] = readdirSync(folder);
  if (!file) throw new Error('no history was written');
  return join(folder, file);
}

describe('history', () => {
  it('merges the files of all writers by time', async () => {
    const folder = temporaryDirectory('history');
    const [client, worker] = [new HistoryWriter(folder, 'client'), new HistoryWriter(folder, 'worker')];
    const ended = client.invoke('add', { id: 'a' });
    worker.append({ type: 'start', queue: 'q', job: 'a', epoch: 1 });
    ended('unknown', 'the connection broke');
    worker.append({ type: 'end', queue: 'q', job: 'a', epoch: 1 });
    const events = await read(folder);
    expect(events.map(({ type, sequence }) => [type, sequence])).toEqual([['invoke', 1], ['start', 1], ['unknown', 2], ['end', 2]]);
    expect(events[2]).toMatchObject({ process: client.process, call: 1, value: 'the connection broke' });
    expect(events.map((event) => event.at)).toEqual(events.map((event) => event.at).sort((a, b) => (a < b ? -1 : 1)));
  });

  it('has every record whose write returned before kill -9', async () => {
    const folder = temporaryDirectory('history');
    const child = await spawnNode(new URL('./fixtures/chatty.ts', import.meta.url), { args: [folder] });
    await child.send('work');
    let last: unknown;
    for (let n = 0; n < 200; n += 1) last = await child.signal('written');
    await child.kill9();
    const acknowledged = (await read(folder)).flatMap((event) => (event.type === 'ok' ? [event.call] : []));
    expect(last).toBe(200);
    expect(acknowledged.length).toBeGreaterThanOrEqual(200);
    expect(acknowledged).toEqual(acknowledged.map((_, index) => index + 1));
  });

  it('leaves out a torn last line, at whatever byte it broke', async () => {
    const folder = temporaryDirectory('history');
    const history = new HistoryWriter(folder, 'client');
    history.append({ type: 'note', value: 'whole' });
    history.append({ type: 'note', value: 'torn ü' });
    const file = onlyFile(folder);
    const { length } = readFileSync(file);
    const second = readFileSync(file).indexOf(10) + 1;
    for (let cut = length - 1; cut >= second; cut -= 1) {
      truncateSync(file, cut);
      expect((await read(folder)).map((event) => event.type === 'note' && event.value)).toEqual(['whole']);
    }
  });

  it('refuses a damaged line within the file', async () => {
    const folder = temporaryDirectory('history');
    new HistoryWriter(folder, 'client').append({ type: 'note', value: 1 });
    appendFileSync(onlyFile(folder), 'garbage\n');
    await expect(read(folder)).rejects.toThrow('not a record of a history: garbage');
  });
});
