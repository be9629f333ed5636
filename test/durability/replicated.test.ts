import { describe, expect, onTestFinished, test } from 'vitest';
import { DurabilityError, FlowProducer, Queue, type Job, type Worker } from 'drover';
import { finished, gate, once, openQueue, openWorker, refusal, Tally, tallyOf, uniqueName } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';
import { at, callsOf, inStep, proxyTo, startGroup, type Group } from './replicas.js';

const quick = { replicated: 1, timeoutMs: 500 };

async function open(count = 1): Promise<Group & { replica: Group['primary'] }> {
  const group = await startGroup(count);
  return { ...group, replica: group.replicas[0] as Group['primary'] };
}

function errorsOf(emitter: Worker): Tally<Error> {
  const errors = new Tally<Error>();
  emitter.on('error', (error) => errors.add(error));
  return errors;
}

describe('add', () => {
  test('resolves once the replicas hold the job', async () => {
    const { primary, replicas } = await open(2);
    const queue = openQueue({ connection: at(primary), durability: { replicated: 2 } });
    for (let i = 0; i < 20; i++) {
      const job = await queue.add('a', i);
      for (const replica of replicas) expect(await (await replica.control()).hexists(queue.toKey('job'), job.id)).toBe(1);
    }
  });

  test('rejects when a replica does not confirm; the job stays, and a repeat under its id confirms it', async () => {
    const { primary, replica } = await open();
    const queue = openQueue({ connection: at(primary), durability: quick });
    await replica.freeze();
    const error = await refusal(() => queue.add('a', 1, { jobId: 'x' }));
    expect(error).toBeInstanceOf(DurabilityError);
    expect(error).toMatchObject({ name: 'DurabilityError', code: 'NOT_CONFIRMED', jobId: 'x', jobIds: ['x'], stored: true, confirmed: 0, wanted: 1 });
    expect((await queue.getWaiting()).map(({ id }) => id)).toEqual(['x']);
    expect(await refusal(() => queue.add('a', 1, { jobId: 'x' }))).toMatchObject({ code: 'NOT_CONFIRMED', jobIds: ['x'] });
    await replica.thaw();
    await inStep(primary);
    expect(await queue.add('a', 1, { jobId: 'x' })).toMatchObject({ id: 'x', deduplicated: true });
    expect(await queue.getWaitingCount()).toBe(1);
  });

  test('says how many have confirmed', async () => {
    const { primary, replica } = await open(2);
    const queue = openQueue({ connection: at(primary), durability: { replicated: 2, timeoutMs: 1_500 } });
    await replica.freeze();
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ confirmed: 1, wanted: 2 });
    await replica.thaw();
    await inStep(primary, 2);
    await queue.add('b', 2);
  });

  test('names the job that stands in the place of a duplicate', async () => {
    const { primary, replica } = await open();
    const queue = openQueue({ connection: at(primary), durability: quick });
    const first = await queue.add('a', 1, { deduplication: { id: 'd' } });
    await replica.freeze();
    expect(await refusal(() => queue.add('a', 2, { deduplication: { id: 'd' } }))).toMatchObject({ jobIds: [first.id] });
  });

  test('of a bulk waits once a call, and names every job', async () => {
    const { primary, replica } = await open();
    const queue = openQueue({ connection: at(primary), durability: quick });
    await queue.add('first', 0);
    const before = await callsOf(primary, 'wait');
    await queue.addBulk(Array.from({ length: 1_000 }, (_, i) => ({ name: 'a', data: i })));
    expect(await callsOf(primary, 'wait') - before).toBe(1);
    await Promise.all(Array.from({ length: 500 }, (_, i) => queue.add('b', i)));
    expect(await callsOf(primary, 'wait') - before).toBe(2);
    await replica.freeze();
    const jobs = [{ name: 'c', data: 1, opts: { jobId: 'c1' } }, { name: 'c', data: 2, opts: { jobId: 'c2' } }];
    expect(await refusal(() => queue.addBulk(jobs))).toMatchObject({ code: 'NOT_CONFIRMED', jobIds: ['c1', 'c2'] });
    expect(await queue.getWaitingCount()).toBe(1_503);
  });

  test('keeps the order of calls', async () => {
    const { primary } = await open();
    const queue = openQueue({ connection: at(primary), durability: { replicated: 1 } });
    const rounds = Array.from({ length: 30 }, (_, i) => queue.add(`n${i}`, i));
    for (let i = 30; i < 60; i++) {
      rounds.push(queue.add(`n${i}`, i));
      await new Promise(setImmediate);
    }
    await Promise.all(rounds);
    expect((await queue.getWaiting()).map(({ name }) => name)).toEqual(Array.from({ length: 60 }, (_, i) => `n${i}`));
  });

  test('in memory opens no further connection, and never waits', async () => {
    const { primary } = await open();
    const before = await callsOf(primary, 'wait');
    const queue = openQueue({ connection: at(primary), durability: 'memory' });
    await queue.add('a', 1);
    expect(await callsOf(primary, 'wait')).toBe(before);
    const clients = String(await (await primary.control()).call('CLIENT', 'LIST', 'TYPE', 'normal')).trim().split('\n');
    // The queue's and the harness's own.
    expect(clients).toHaveLength(2);
  });

  test('closes its connection with the queue', async () => {
    const { primary } = await open();
    const count = async (): Promise<number> => String(await (await primary.control()).call('CLIENT', 'LIST', 'TYPE', 'normal')).trim().split('\n').length;
    const queue = new Queue(uniqueName(), { connection: at(primary), durability: { replicated: 1 } });
    await queue.add('a', 1);
    expect(await count()).toBe(3);
    await queue.close();
    await until('both are closed', async () => (await count()) === 1);
  });
});

describe('a confirmation counts only on the connection that wrote', () => {
  test('elsewhere Redis confirms what no replica has: the danger is real', async () => {
    const { primary, replica } = await open();
    const [writer, other] = [primary.connect(), primary.connect()];
    await Promise.all([writer.ping(), other.ping()]);
    await until('the replica has told that it has everything', async () => {
      const state = await primary.info('replication');
      return state.get('slave0')?.includes(`offset=${state.get('master_repl_offset')},`);
    });
    await replica.freeze();
    await writer.set('k', 1);
    expect(await other.wait(1, 100)).toBe(1);
    expect(await writer.wait(1, 100)).toBe(0);
  });

  test.each(['dropRequest', 'dropReply'] as const)('the connection breaks between script and answer (%s)', async (then) => {
    const { primary, replica } = await open();
    const proxy = await proxyTo(primary);
    const queue = openQueue({ connection: at(proxy), durability: { replicated: 1, timeoutMs: 500 } });
    await queue.add('before', 0);
    await replica.freeze();
    const broken = proxy.rule({ when: { command: 'wait', nth: 1 }, then });
    const refused = refusal(() => queue.add('a', 1, { jobId: 'x' }));
    await broken.fired();
    expect(await refused).toMatchObject({ code: 'NOT_CONFIRMED', confirmed: 0 });
    expect(await queue.getWaitingCount()).toBe(2);
    await replica.thaw();
    await inStep(primary);
    await queue.add('a', 1, { jobId: 'x' });
  });

  test('the reply of the script is lost: the repeat writes, and waits for that', async () => {
    const { primary, replica } = await open();
    const proxy = await proxyTo(primary);
    const queue = openQueue({ connection: at(proxy), durability: { replicated: 1, timeoutMs: 500 } });
    await queue.add('before', 0);
    await replica.freeze();
    const lost = proxy.rule({ when: { script: 'enqueue', nth: 1 }, then: 'dropReply' });
    const refused = refusal(() => queue.add('a', 1));
    await lost.fired();
    expect(await refused).toMatchObject({ code: 'NOT_CONFIRMED', confirmed: 0 });
    expect(await queue.getWaitingCount()).toBe(2);
  });

  test('a repeat of each script that is confirmed advances replication', async () => {
    const { primary } = await open();
    const proxy = await proxyTo(primary);
    const connection = at(proxy);
    const name = uniqueName();
    const queue = openQueue({ connection, durability: { replicated: 1 } }, name);
    const flows = new FlowProducer({ connection, durability: { replicated: 1 } });
    onTestFinished(() => flows.close());
    const offset = async (): Promise<number> => Number((await primary.info('replication')).get('master_repl_offset'));
    // A repeat that wrote nothing would answer the wait of a new connection at once, whatever the replica has.
    const frozen = async (script: string, act: () => Promise<unknown>): Promise<number> => {
      const lost = proxy.rule({ when: { script, nth: 1 }, then: 'dropReply' });
      const passed = proxy.rule({ when: { script }, then: 'pass' });
      const acting = act();
      await lost.fired();
      const before = await offset();
      await passed.fired();
      await acting;
      lost.remove();
      passed.remove();
      return (await offset()) - before;
    };
    expect(await frozen('enqueue', () => queue.add('a', 1))).toBeGreaterThan(0);
    expect(await frozen('plant', () => flows.add({ name: 'p', queueName: name, children: [{ name: 'c', queueName: name }] }))).toBeGreaterThan(0);
    const dead = openWorker(queue, () => Promise.reject(new Error('no')), { connection, durability: { replicated: 1 }, deadLetter: { queue: `${name}-dead` }, autorun: false });
    const failed = tallyOf('failed', dead);
    expect(await frozen('transfer', async () => {
      dead.run().catch(() => undefined);
      await failed.reached(1);
    })).toBeGreaterThan(0);
  });
});

describe('a worker', () => {
  test('announces an end after it was confirmed', async () => {
    const { primary, replica } = await open();
    const queue = openQueue({ connection: at(primary) });
    const worker = openWorker(queue, () => 'result', { durability: { replicated: 1 } });
    worker.on('completed', () => void seen.push('completed'));
    const seen: string[] = [];
    const job = await queue.add('a', 1);
    await finished(worker, job.id);
    expect(await (await replica.control()).hexists(queue.toKey('outcome'), job.id)).toBe(1);
    expect(await callsOf(primary, 'wait')).toBeGreaterThan(0);
  });

  test('reports what is not confirmed, does not announce it, runs nothing twice and goes on', async () => {
    const { primary, replica } = await open();
    const queue = openQueue({ connection: at(primary) });
    const runs: string[] = [];
    const start = gate();
    const worker = openWorker(queue, async (job) => {
      runs.push(job.id);
      if (job.name === 'first') await start.promise;
      if (job.name === 'bad') throw new Error('no');
    }, { durability: quick, lockDuration: 60_000 });
    const [errors, completed, failed, active] = [errorsOf(worker), tallyOf('completed', worker), tallyOf('failed', worker), tallyOf('active', worker)];
    const first = await queue.add('first', 1);
    await active.reached(1);
    await replica.freeze();
    start.open();
    await errors.reached(1);
    const bad = await queue.add('bad', 1);
    await errors.reached(2);
    expect(errors.seen).toMatchObject([
      { code: 'NOT_CONFIRMED', jobIds: [first.id], stored: true, confirmed: 0, wanted: 1 }, { code: 'NOT_CONFIRMED', jobIds: [bad.id] },
    ]);
    expect([completed.seen, failed.seen]).toEqual([[], []]);
    expect([await first.getState(), await bad.getState()]).toEqual(['completed', 'failed']);
    await replica.thaw();
    await inStep(primary);
    const last = await queue.add('last', 1);
    await completed.reached(1);
    expect(completed.seen.map(({ id }) => id)).toEqual([last.id]);
    expect(runs).toEqual([first.id, bad.id, last.id]);
    expect(await queue.getActiveCount()).toBe(0);
  });

  test('tells who ends a job by hand', async () => {
    const { primary, replica } = await open();
    const queue = openQueue({ connection: at(primary) });
    const worker = openWorker(queue, null, { durability: quick });
    errorsOf(worker);
    await queue.add('a', 1);
    const job = await worker.getNextJob('token') as Job;
    await replica.freeze();
    expect(await refusal(() => job.moveToCompleted('result', 'token'))).toMatchObject({ code: 'NOT_CONFIRMED', jobIds: [job.id] });
    expect(await job.getState()).toBe('completed');
  });

  test('buries dead letters as durably', async () => {
    const { primary, replica } = await open();
    const queue = openQueue({ connection: at(primary) });
    const start = gate();
    const worker = openWorker(queue, () => start.promise.then(() => Promise.reject(new Error('no'))), { durability: quick, deadLetter: { queue: `${queue.name}-dead` } });
    const [errors, failed, active] = [errorsOf(worker), tallyOf('failed', worker), tallyOf('active', worker)];
    const job = await queue.add('a', 1);
    await active.reached(1);
    await replica.freeze();
    start.open();
    await errors.reached(1);
    expect(errors.seen[0]).toMatchObject({ code: 'NOT_CONFIRMED', jobIds: [job.id] });
    expect(failed.seen).toEqual([]);
    expect(await openQueue({ connection: at(primary) }, `${queue.name}-dead`).getWaitingCount()).toBe(1);
  });

  test('waits for nothing while it is idle', async () => {
    const { primary } = await open();
    const before = await callsOf(primary, 'wait');
    const queue = openQueue({ connection: at(primary) });
    const worker = openWorker(queue, () => 1, { durability: { replicated: 1 }, drainDelay: 0.05 });
    await once(worker, 'ready');
    await until('it has looked a few times', async () => (await callsOf(primary, 'bzpopmin')) > 3);
    expect(await callsOf(primary, 'wait')).toBe(before);
  });
});

test('a flow that is not confirmed is there as a whole, and all its jobs are named', async () => {
  const { primary, replica } = await open();
  const name = uniqueName();
  const flows = new FlowProducer({ connection: at(primary), durability: quick });
  onTestFinished(() => flows.close());
  const flow = { name: 'p', queueName: name, opts: { jobId: 'p' }, children: [{ name: 'c', queueName: `${name}-c`, opts: { jobId: 'c' } }] };
  await replica.freeze();
  expect(await refusal(() => flows.add(flow))).toMatchObject({ code: 'NOT_CONFIRMED', jobIds: ['p', 'c'], confirmed: 0, wanted: 1 });
  const queue = openQueue({ connection: at(primary) }, name);
  expect(await (await queue.getJob('p'))?.getState()).toBe('waiting-children');
  await replica.thaw();
  await inStep(primary);
  await flows.add(flow);
});

test.each<[string, unknown]>([
  ['nothing known', 'disk'], ['no replica', { replicated: 0 }], ['a fraction', { replicated: 1.5 }], ['too long', { replicated: 1, timeoutMs: 10_001 }],
  ['for ever', { replicated: 1, timeoutMs: 0 }], ['neither', {}], ['not synced', { fsynced: false }], ['both', { replicated: 1, fsynced: true }], ['a list', []],
])('%s is refused', async (_name, durability) => {
  for (const make of [
    () => new Queue('q', { connection: at({ host: '127.0.0.1', port: 1 }), durability: durability as never }),
    () => new FlowProducer({ connection: at({ host: '127.0.0.1', port: 1 }), durability: durability as never }),
  ]) expect(await refusal(make)).toMatchObject({ code: expect.stringMatching(/INVALID_OPTION|UNKNOWN_OPTION/), field: expect.stringMatching(/^durability/) });
});
