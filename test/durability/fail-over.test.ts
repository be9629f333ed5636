import { expect, onTestFinished, test } from 'vitest';
import { openQueue, openWorker } from '../support/behaviour.js';
import { startSentinel } from '../support/servers/start-sentinel.js';
import { until } from '../support/servers/until.js';

test('what all replicas have confirmed survives the loss of the primary, and work goes on', async () => {
  const deployment = await startSentinel({ replicas: 2 });
  onTestFinished(() => deployment.stop());
  const connection = deployment.address();
  const queue = openQueue({ connection, durability: { replicated: 2, timeoutMs: 500 } });
  const ends = openQueue({ connection }, queue.name);
  const worker = openWorker(ends, () => undefined, { durability: { replicated: 2, timeoutMs: 500 }, runRetryDelay: 50, concurrency: 10 });
  for (const one of [queue, ends]) one.on('error', () => undefined);
  worker.on('error', () => undefined);
  const completed = new Set<string>();
  worker.on('completed', ({ id }) => completed.add(id));
  const acknowledged: string[] = [];
  let refused = 0;
  let stop = false;
  const producing = Array.from({ length: 20 }, async () => {
    while (!stop) {
      await queue.add('a', 1).then(({ id }) => acknowledged.push(id), () => refused++);
      // A refused call may come back at once.
      await new Promise(setImmediate);
    }
  });
  await until('many are acknowledged', () => acknowledged.length > 500 && completed.size > 100);
  const old = await deployment.killPrimary();
  const now = await deployment.waitForNewPrimary(old);
  const sinceNew = performance.now();
  const after = await ends.add('after', 1);
  await until('the new primary has run a job', async () => (await (await now.control()).hexists(ends.toKey('outcome'), after.id)) === 1);
  console.log(`work went on ${Math.round(performance.now() - sinceNew)} ms after there was a new primary`);
  stop = true;
  await Promise.all(producing);
  await until('all have run', async () => Object.values(await ends.getJobCounts('waiting', 'active', 'delayed')).every((count) => count === 0));
  const ids = [...new Set([...acknowledged, ...completed])];
  const stored = await (await now.control()).hmget(ends.toKey('outcome'), ...ids);
  const lost = ids.filter((_, i) => stored[i] === null);
  console.log(`${acknowledged.length} acknowledged, ${refused} not confirmed or refused, ${completed.size} announced`);
  expect(lost).toEqual([]);
}, 120_000);
