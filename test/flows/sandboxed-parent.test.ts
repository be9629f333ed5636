import { expect, onTestFinished, test } from 'vitest';
import { Worker } from 'drover';
import { finished, openQueue, openWorker } from '../support/behaviour.js';
import { urlAs } from '../support/roles.js';

test.each([{ useWorkerThreads: false }, { useWorkerThreads: true }])('a handler in a module waits for its children and reads their results: %j', async (opts) => {
  const [parents, leaves] = [openQueue(), openQueue()];
  const job = await parents.add('job', 1);
  await leaves.add('child', 1, { parent: { id: job.id, queue: job.queueQualifiedName } });
  const worker = new Worker(parents.name, new URL('./fixtures/parent.mjs', import.meta.url), { connection: urlAs('worker'), ...opts });
  onTestFinished(() => worker.close(true));
  const end = finished(worker, job.id);
  await expect.poll(() => job.getState()).toBe('waiting-children');
  openWorker(leaves, () => 'result');
  expect((await end).returnvalue).toEqual([['result'], { processed: 1, unprocessed: 0, ignored: 0, failed: 0 }]);
});
