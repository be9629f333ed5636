import { describe, expect, onTestFinished, test } from 'vitest';
import type { Queue, Worker } from 'drover';
import { Courier } from '../../src/queue/courier.js';
import { QueueKeys } from '../../src/redis/keys.js';
import { readLetters, type Letter } from '../../src/redis/letters.js';
import { acknowledge } from '../../src/redis/scripts/acknowledge.js';
import { plant } from '../../src/redis/scripts/plant.js';
import { receive } from '../../src/redis/scripts/receive.js';
import { deliverLeftovers } from '../../src/scheduler/leftover-letters.js';
import type { RawReply } from '../../src/redis/script.js';
import { finished, openQueue, openWorker, tallyOf } from '../support/behaviour.js';
import { entryOf, keyOf, openFlows } from './open-flows.js';

/** The letters that lie in the outbox of a queue. */
async function outbox(queue: Queue): Promise<Letter[]> {
  const [, page] = (await queue.connection.command('hscan', [queue.toKey('outbox'), 0, 'COUNT', 1000], 'look')) as RawReply[];
  return readLetters(page);
}

/** Everything that Redis holds of queues, but for sessions, which count calls. */
async function dump(...queues: Queue[]): Promise<Record<string, string>> {
  const client = await (queues[0] as Queue).client;
  const found: Record<string, string> = {};
  for (const queue of queues) {
    for (const key of await client.keys(`${queue.keys.base}*`)) {
      if (key.endsWith(':sessions') || key.endsWith(':marker')) continue;
      found[key] = (await client.dumpBuffer(key)).toString('hex');
    }
  }
  return found;
}

function mailOf(queue: Queue, letters: readonly Letter[]): Parameters<typeof receive.args>[0]['mail'] {
  return letters.map(({ id, head: { parent, ending, policy, stamp }, outcome }) => ({
    parent: parent.id, news: [{ ending, policy, stamp, children: [{ key: keyOf(queue, id), outcome }] }],
  }));
}

/** A worker that ends jobs but is gone before it has told their parents. */
function openDoomedWorker(queue: Queue, stopAt: 'before receive' | 'before acknowledge', handler: () => unknown = () => 'result'): Worker {
  const worker = openWorker(queue, handler);
  worker.jobs.courier.deliver = async (letters: readonly Letter[]) => {
    if (stopAt === 'before acknowledge') await receiveAll(queue, letters);
  };
  return worker;
}

async function receiveAll(queue: Queue, letters: readonly Letter[]): Promise<void> {
  for (const letter of letters) {
    await queue.connection.run(receive, new QueueKeys(letter.head.parent.prefix, letter.head.parent.queue), { mail: mailOf(queue, [letter]) });
  }
}

describe('a worker that disappears after a child has ended', () => {
  test.each(['before receive', 'before acknowledge'] as const)('%s: another one tells the parent, which runs once', async (stopAt) => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const doomed = openDoomedWorker(leaves, stopAt);
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [{ name: 'a', queueName: leaves.name }, { name: 'b', queueName: leaves.name }] });
    await tallyOf('completed', doomed).reached(2);
    await doomed.close(true);
    expect(await outbox(leaves)).toHaveLength(2);
    expect(await tree.job.getState()).toBe(stopAt === 'before receive' ? 'waiting-children' : 'waiting');

    openWorker(leaves, () => undefined);
    const root = await finished(openWorker(parents, (job) => job.getChildrenValues()), tree.job.id);
    expect(Object.values(root.returnvalue as object)).toEqual(['result', 'result']);
    await expect.poll(() => outbox(leaves)).toEqual([]);
    expect(await root.getDependenciesCount()).toEqual({ processed: 2, unprocessed: 0, ignored: 0, failed: 0 });
    expect(await parents.getJobCounts('waiting', 'waiting-children', 'completed')).toEqual({ waiting: 0, 'waiting-children': 0, completed: 1 });
  });

  test('and the failure of a child is told as well', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const doomed = openDoomedWorker(leaves, 'before receive', () => {
      throw new Error('no');
    });
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [{ name: 'a', queueName: leaves.name, opts: { failParentOnFailure: true } }] });
    await tallyOf('failed', doomed).reached(1);
    await doomed.close(true);
    openWorker(leaves, () => undefined);
    await expect(finished(openWorker(parents, () => undefined), tree.job.id)).rejects.toThrow('failed');
  });
});

describe('a step that is repeated', () => {
  test('changes nothing: plant, receive and acknowledge', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const call = { parents: [{ id: 'p', record: Buffer.from([0x93, 0xa1, 0x70, 0xc0, 0x01]), name: 'p', children: [entryOf(leaves, 'c1'), entryOf(leaves, 'c2')] }] };
    expect(await parents.connection.run(plant, parents.keys, call)).toEqual(['planted']);
    const planted = await dump(parents);
    expect(await parents.connection.run(plant, parents.keys, call)).toEqual(['existed']);
    expect(await dump(parents)).toEqual(planted);

    const parent = { id: 'p', queue: parents.qualifiedName };
    await leaves.addBulk([{ name: 'c', data: 1, opts: { jobId: 'c1', parent } }, { name: 'c', data: 1, opts: { jobId: 'c2', parent } }]);
    const doomed = openDoomedWorker(leaves, 'before receive');
    await tallyOf('completed', doomed).reached(2);
    await doomed.close();
    const letters = await outbox(leaves);
    const mail = mailOf(leaves, letters);
    expect(await parents.connection.run(receive, parents.keys, { mail })).toBe(2);
    const received = await dump(parents);
    expect(await parents.connection.run(receive, parents.keys, { mail })).toBe(0);
    expect(await dump(parents)).toEqual(received);

    expect(await leaves.connection.run(acknowledge, leaves.keys, { letters })).toBe(2);
    const acknowledged = await dump(leaves);
    expect(await leaves.connection.run(acknowledge, leaves.keys, { letters })).toBe(0);
    expect(await dump(leaves)).toEqual(acknowledged);
  });

  test('by two couriers at once lets the parent run once', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const doomed = openDoomedWorker(leaves, 'before receive');
    await openFlows().add({ name: 'root', queueName: parents.name, children: Array.from({ length: 20 }, () => ({ name: 'a', queueName: leaves.name })) });
    await tallyOf('completed', doomed).reached(20);
    const letters = await outbox(leaves);
    const couriers = Array.from({ length: 4 }, () => new Courier(leaves.connection, leaves.keys));
    await Promise.all(couriers.map((courier) => courier.deliver(letters)));
    expect(await parents.getJobCounts('waiting', 'waiting-children')).toEqual({ waiting: 1, 'waiting-children': 0 });
    expect(await outbox(leaves)).toEqual([]);
  });
});

describe('letters of one child', () => {
  test('overtake each other only forwards', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    let broken = true;
    const doomed = openDoomedWorker(leaves, 'before receive', () => {
      if (broken) throw new Error('no');
      return 'yes';
    });
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [{ name: 'a', queueName: leaves.name, opts: { jobId: 'c', failParentOnFailure: true } }] });
    await tallyOf('failed', doomed).reached(1);
    const [failed] = await outbox(leaves);
    broken = false;
    await tree.children?.[0]?.job.retry();
    await tallyOf('completed', doomed).reached(1);
    const [completed] = await outbox(leaves);
    if (!failed || !completed) throw new Error('There should be two letters.');

    expect(await leaves.connection.run(acknowledge, leaves.keys, { letters: [failed] })).toBe(0);
    await receiveAll(leaves, [completed, failed]);
    expect(await tree.job.getDependencies()).toMatchObject({ processed: { [keyOf(leaves, 'c')]: 'yes' }, failed: [] });
    expect((await parents.getJob(tree.job.id))?.deferredFailure).toBeUndefined();
  });

  test('that cannot be read are set aside, and hold up no other', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const doomed = openDoomedWorker(leaves, 'before receive');
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [{ name: 'a', queueName: leaves.name }] });
    await tallyOf('completed', doomed).reached(1);
    await (await leaves.client).hset(leaves.toKey('outbox'), 'damaged', Buffer.from([0xc1, 0xff]), 'strange', 'text');
    const errors: Error[] = [];
    await deliverLeftovers(leaves.jobs, 0, (error) => errors.push(error));
    expect(errors).toMatchObject([{ code: 'CORRUPT_DATA' }, { code: 'CORRUPT_DATA' }]);
    expect(await tree.job.getState()).toBe('waiting');
    expect(await (await leaves.client).hlen(leaves.toKey('outbox'))).toBe(0);
  });

  test('to a parent that is gone are dropped', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [{ name: 'a', queueName: leaves.name }] });
    await tree.job.remove({ removeChildren: false });
    const before = await dump(parents);
    await finished(openWorker(leaves, () => 1), tree.children?.[0]?.job.id ?? '');
    await expect.poll(() => outbox(leaves)).toEqual([]);
    expect(await dump(parents)).toEqual(before);
  });
});

describe('a queue without flows', () => {
  test('is never looked at for letters', async () => {
    const queue = openQueue();
    const commands: string[] = [];
    const worker = openWorker(queue, () => 1);
    const run = worker.connection.command.bind(worker.connection);
    worker.connection.command = (name, ...rest) => {
      commands.push(name);
      return run(name, ...rest);
    };
    onTestFinished(() => void (worker.connection.command = run));
    await finished(worker, (await queue.add('job', 1)).id);
    expect(commands).not.toContain('hscan');
    expect(await (await queue.client).exists(queue.toKey('outbox'), queue.toKey('pending'), queue.toKey('orphans'))).toBe(0);
  });
});
