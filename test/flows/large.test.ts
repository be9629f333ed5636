import { describe, expect, test } from 'vitest';
import { finished, openQueue, openWorker } from '../support/behaviour.js';
import { callsDuring, openFlows } from './open-flows.js';

describe('a parent of 10,000 children', () => {
  test('is added and processed in calls of at most 1,000, and is read page by page', { timeout: 60_000 }, async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const flows = openFlows();
    const count = 10_000;
    const children = Array.from({ length: count }, (_, i) => ({ name: 'part', queueName: leaves.name, data: i }));
    let rootId = '';
    const adding = await callsDuring(parents, async () => {
      rootId = (await flows.add({ name: 'root', queueName: parents.name, children })).job.id;
    });
    expect(adding).toEqual({ plant: 10, enqueue: 10 });
    const worker = openWorker(parents, async (job) => {
      const values = Object.values(await job.getChildrenValues<number>());
      return [values.length, values.reduce((sum, value) => sum + value, 0), await job.getDependenciesCount()];
    });
    openWorker(leaves, (job) => job.data as number, { concurrency: 200 });
    const root = await finished(worker, rootId);
    expect(root.returnvalue).toEqual([count, (count * (count - 1)) / 2, { processed: count, unprocessed: 0, ignored: 0, failed: 0 }]);

    const seen = new Set<string>();
    let cursor = 0;
    do {
      const page = await root.getDependencies({ processed: { cursor, count: 500 } });
      expect(Object.keys(page.processed ?? {}).length).toBeLessThan(1000);
      for (const key of Object.keys(page.processed ?? {})) seen.add(key);
      cursor = page.nextProcessedCursor ?? 0;
    } while (cursor !== 0);
    expect(seen.size).toBe(count);
    await root.remove();
    expect(await leaves.getJobCountByTypes()).toBe(0);
  });
});

describe('a flow of 1,000 children', () => {
  test('takes two script calls to add, and three per batch of ended children', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const worker = openWorker(queue, () => undefined, { concurrency: 100, autorun: false });
    const flow = { name: 'root', queueName: queue.name, children: Array.from({ length: 1000 }, (_, i) => ({ name: 'part', queueName: queue.name, data: i })) };
    let rootId = '';
    const adding = await callsDuring(queue, async () => {
      rootId = (await flows.add(flow)).job.id;
    });
    expect(adding).toEqual({ plant: 1, enqueue: 1 });
    const processing = await callsDuring(queue, async () => {
      const end = finished(worker, rootId);
      void worker.run();
      await end;
    });
    await worker.close();
    // 1,000 jobs at a concurrency of 100 over two lanes: about 20 settles, each with at most a receive and an acknowledge.
    const { settle = 0, receive = 0, acknowledge = 0 } = processing;
    expect(settle).toBeLessThanOrEqual(30);
    expect(receive).toBeLessThanOrEqual(settle);
    expect(acknowledge).toBeLessThanOrEqual(settle);
  });
});
