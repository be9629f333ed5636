import { describe, expect, it } from 'vitest';
import { packStrings } from '../../src/core/script-packer.js';
import { recover } from '../../src/redis/scripts/recover.js';
import { renew } from '../../src/redis/scripts/renew.js';
import { end, ids, minute, openQueue, type TestQueue } from './open-queue.js';

const renewed = (queue: TestQueue, leases: string[], leaseMs = 5 * minute) => queue.run(renew, { leaseMs, leases: packStrings(leases) });

describe('renew', () => {
  it('pushes back the deadlines of held leases, and notes that their jobs have started', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const { lease } = await queue.take(2);
    const before = await queue.state();
    expect(await renewed(queue, ['a', lease])).toEqual([]);
    expect(await queue.state()).toEqual({ ...before, active: [['b', minute, false], ['a', 5 * minute, true]] });
  });

  it('names the leases that are no longer held, and renews the others', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    const { lease } = await queue.take(3);
    await queue.settle([end.forgotten('a', lease), end.givenBack('b', lease)]);
    const before = await queue.state();
    expect(await renewed(queue, ['a', lease, 'b', lease, 'c', lease, 'c', 'w|1', 'unknown', lease])).toEqual([0, 1, 3, 4]);
    expect(await queue.state()).toEqual({ ...before, active: [['c', 5 * minute, true]] });
  });

  it('refuses a lease that was taken away', async () => {
    const queue = openQueue();
    await queue.add('a');
    const { lease } = await queue.take(1, 'late');
    await queue.expire('a');
    await queue.run(recover, { maxStalledCount: 1, limit: 10, keepFailed: -1 });
    await queue.take(1, 'new');
    const before = await queue.state();
    expect(await renewed(queue, ['a', lease])).toEqual([0]);
    expect(await queue.state()).toEqual(before);
  });

  it('renews 1,000 leases in one call', async () => {
    const queue = openQueue();
    const all = ids(1000);
    await queue.add(...all);
    const { lease } = await queue.take(1000);
    expect(await renewed(queue, all.flatMap((id) => [id, lease]))).toEqual([]);
    expect((await queue.state()).active?.every(([, deadline, started]) => started && deadline === 5 * minute)).toBe(true);
  });
});
