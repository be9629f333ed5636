import { attempt, once } from '../observe.js';
import type { Bench, Scenarios } from './bench.js';

type Node = NonNullable<Awaited<ReturnType<ReturnType<Bench['flow']>['getFlow']>>>;

function tree(node: Node | undefined): unknown {
  return node && { id: node.job.id, name: node.job.name, data: node.job.data as unknown, parent: node.job.parentKey, children: node.children?.map(tree).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

const child = (name: string, opts: object = {}, queueName = ''): { name: string; queueName: string; data: number; opts: object } => ({ name, queueName, data: 1, opts: { jobId: name, ...opts } });

async function failing(bench: Bench, policy: object): Promise<unknown> {
  const queue = bench.queue();
  const ran: string[] = [];
  const worker = bench.worker(async (job) => {
    ran.push(job.name);
    if (job.name === 'bad') throw new Error('no');
    if (job.name === 'top') return { values: await job.getChildrenValues(), ignored: await job.getIgnoredChildrenFailures(), counts: await job.getDependenciesCount() };
    return job.name;
  });
  const settled = new Promise<void>((resolve) => {
    worker.on('completed', (job) => (job.name === 'top' ? resolve() : undefined));
    worker.on('failed', (job) => (job?.name === 'top' ? resolve() : undefined));
  });
  const flow = bench.flow();
  await flow.add({ name: 'top', queueName: bench.name, data: 0, opts: { jobId: 'top' }, children: [child('good', {}, bench.name), child('bad', policy, bench.name)] });
  void worker.run();
  await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 700))]);
  const top = await queue.getJob('top');
  return [ran.sort(), await top?.getState(), top?.returnvalue ?? null, top?.failedReason, await top?.getDependenciesCount()];
}

export const sets: Scenarios = {
  'a flow, and what is read of it': async (bench) => {
    const flow = bench.flow();
    const queue = bench.queue();
    const added = await flow.add({
      name: 'top', queueName: bench.name, data: { a: 1 }, opts: { jobId: 'top' },
      children: [{ ...child('one', {}, bench.name), children: [child('deep', {}, bench.name), child('deeper', {}, bench.name)] }, child('two', { priority: 3 }, bench.name)],
    });
    const top = await queue.getJob('top');
    const order = (node: Node | undefined): unknown => tree(node);
    return {
      added: order(added), read: order(await flow.getFlow({ id: 'top', queueName: bench.name, prefix: 'conf' })), depth: order(await flow.getFlow({ id: 'top', queueName: bench.name, prefix: 'conf', depth: 2 })),
      flat: order(await flow.getFlow({ id: 'top', queueName: bench.name, prefix: 'conf', depth: 1 })), most: order(await flow.getFlow({ id: 'top', queueName: bench.name, prefix: 'conf', maxChildren: 1 }))?.toString().length,
      none: await attempt(() => flow.getFlow({ id: 'none', queueName: bench.name, prefix: 'conf' })), state: await top?.getState(), dependencies: Object.keys((await top?.getDependencies()) ?? {}).sort(),
      counts: await top?.getDependenciesCount(), some: await top?.getDependenciesCount({ unprocessed: true }), unprocessed: (await top?.getDependencies())?.unprocessed?.sort(), values: await top?.getChildrenValues(),
      page: (await top?.getDependencies({ unprocessed: { count: 10 } }))?.unprocessed?.sort(), child: (await queue.getJob('one'))?.parentKey, parent: (await queue.getJob('one'))?.parent, waitingChildren: (await queue.getWaitingChildren()).map(({ id }) => id).sort(),
    };
  },
  'the queuesOptions of a flow': async (bench) => {
    const flow = bench.flow();
    const tree = await flow.add(
      { name: 'parent', queueName: bench.name, data: 1, opts: { jobId: 'p' }, children: [{ name: 'child', queueName: bench.name, data: 1, opts: { jobId: 'c', attempts: 5 } }, { name: 'other', queueName: bench.name, data: 1, opts: { jobId: 'o' } }] },
      { queuesOptions: { [bench.name]: { defaultJobOptions: { attempts: 3, backoff: 7, removeOnComplete: 9, priority: 4 } } } },
    );
    const read = await Promise.all(['p', 'c', 'o'].map((id) => bench.queue().getJob(id)));
    const stored = (job: { opts: Record<string, unknown>; priority: number } | undefined): unknown => job && [job.opts.attempts, job.opts.backoff, job.opts.removeOnComplete, job.priority];
    return [[tree.job, ...(tree.children ?? []).map(({ job }) => job)].map((job) => stored(job as never)), read.map((job) => stored(job as never))];
  },
  'a flow that runs': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async (job) => (job.name === 'top' ? { values: await job.getChildrenValues(), deps: await job.getDependencies() } : `${job.name} done`));
    const flow = bench.flow();
    await flow.add({ name: 'top', queueName: bench.name, opts: { jobId: 'top' }, children: [child('one', {}, bench.name), child('two', {}, bench.name)] });
    const done = once<[{ id: string }, unknown]>(worker, 'completed', 3);
    void worker.run();
    const [job, result] = await done;
    return [job.id, result, (await queue.getJob('top'))?.data as unknown];
  },
  'a child fails: the parent waits': (bench) => failing(bench, {}),
  'a child fails: failParentOnFailure': (bench) => failing(bench, { failParentOnFailure: true }),
  'a child fails: ignoreDependencyOnFailure': (bench) => failing(bench, { ignoreDependencyOnFailure: true }),
  'a child fails: removeDependencyOnFailure': (bench) => failing(bench, { removeDependencyOnFailure: true }),
  'a child fails: continueParentOnFailure': (bench) => failing(bench, { continueParentOnFailure: true }),
  'what a child knows of its parent': async (bench) => {
    const queue = bench.queue();
    const policies = ['failParentOnFailure', 'continueParentOnFailure', 'ignoreDependencyOnFailure', 'removeDependencyOnFailure'] as const;
    const children = [child('none', {}, bench.name), ...policies.map((policy) => child(policy, { [policy]: true }, bench.name))];
    const { children: added = [] } = await bench.flow().add({ name: 'top', queueName: bench.name, opts: { jobId: 'top' }, children });
    const read = await Promise.all(['none', ...policies].map((id) => queue.getJob(id)));
    return [added.map(({ job }) => job.parent), read.map((job) => [job?.parent, job?.asJSON().parent])];
  },
  'removing parts of a flow': async (bench) => {
    const queue = bench.queue();
    const flow = bench.flow();
    await flow.add({ name: 'top', queueName: bench.name, opts: { jobId: 'top' }, children: [child('one', {}, bench.name), child('two', {}, bench.name)] });
    const one = await queue.getJob('one');
    await one?.remove();
    const between = await (await queue.getJob('top'))?.getDependenciesCount();
    const removed = await (await queue.getJob('two'))?.removeChildDependency();
    const state = await (await queue.getJob('top'))?.getState();
    await queue.remove('top');
    return [between, removed, state, await queue.getJobState('top'), await queue.getJobState('two')];
  },
  'a parent that waits for children it added itself': async (bench) => {
    const queue = bench.queue();
    const steps: unknown[] = [];
    const worker = bench.worker(async (job, token) => {
      if (job.name !== 'top') return 'child';
      steps.push([job.attemptsMade, job.attemptsStarted]);
      if (job.attemptsStarted === 1) {
        await queue.add('kid', 1, { jobId: 'kid', parent: { id: job.id, queue: job.queueQualifiedName } });
        const wait = await job.moveToWaitingChildren(token ?? '');
        steps.push(wait);
        if (wait) throw new bench.lib.WaitingChildrenError();
      }
      return job.getChildrenValues();
    });
    await queue.add('top', 1, { jobId: 'top' });
    const done = once<[{ id: string }, unknown]>(worker, 'completed', 2);
    void worker.run();
    const [job, result] = await done;
    return [steps, job.id, result];
  },
  'deduplication, simple': async (bench) => {
    const queue = bench.queue();
    await queue.add('n', 1, { jobId: 'a', deduplication: { id: 'one' } });
    const second = await queue.add('n', 2, { jobId: 'b', deduplication: { id: 'one' } });
    const holder = await queue.getDeduplicationJobId('one');
    const removed = await queue.removeDeduplicationKey('one');
    await queue.add('n', 3, { jobId: 'c', deduplication: { id: 'one' } });
    return [second.id, holder, removed, (await queue.getWaiting()).map(({ id, data, deduplicationId }) => [id, data as unknown, deduplicationId])];
  },
  'deduplication, with ttl, replace and extend': async (bench) => {
    const queue = bench.queue();
    const opts = (jobId: string): object => ({ jobId, delay: 100_000, deduplication: { id: 'one', ttl: 60_000, extend: true, replace: true } });
    await queue.add('n', 1, opts('a'));
    const second = await queue.add('n', 2, opts('b'));
    return [second.id, await queue.getDeduplicationJobId('one'), (await queue.getDelayed()).map(({ id, data }) => [id, data as unknown])];
  },
  'deduplication while active, keeping the last': async (bench) => {
    const queue = bench.queue();
    const ran: unknown[] = [];
    const worker = bench.worker(async (job) => {
      ran.push(job.data);
      if (job.data === 1) for (const n of [2, 3]) await queue.add('n', n, { deduplication: { id: 'one', keepLastIfActive: true } });
    });
    await queue.add('n', 1, { deduplication: { id: 'one', keepLastIfActive: true } });
    const done = once(worker, 'completed', 2);
    void worker.run();
    await done;
    return ran;
  },
  'deduplication ends with the job': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async () => 1);
    await queue.add('n', 1, { jobId: 'a', deduplication: { id: 'one' } });
    const done = once(worker, 'completed');
    void worker.run();
    await done;
    return [await queue.getDeduplicationJobId('one'), (await queue.add('n', 1, { jobId: 'b', deduplication: { id: 'one' } })).id];
  },
  'schedulers and their shapes': async (bench) => {
    const queue = bench.queue();
    const first = await queue.upsertJobScheduler('every', { every: 3_600_000 }, { name: 'tick', data: { a: 1 }, opts: { attempts: 3, priority: 2 } });
    await queue.upsertJobScheduler('cron', { pattern: '0 0 1 1 *', tz: 'Europe/Berlin', limit: 3 }, { name: 'year' });
    await queue.upsertJobScheduler('end', { every: 3_600_000, endDate: '2040-01-01', startDate: '2039-01-01' });
    const schedulers = await queue.getJobSchedulers();
    const shape = (view: object | undefined): unknown => view && Object.fromEntries(Object.entries(view).filter(([key, value]) => value !== undefined && key !== 'offset').map(([key, value]) => [key, key === 'next' ? typeof value : value as unknown]).sort());
    return {
      first: [first.name, first.data as unknown, first.repeatJobKey, first.id.startsWith('repeat:every:'), first.opts.attempts, first.opts.priority], count: await queue.getJobSchedulersCount(),
      list: schedulers.map(shape).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)), one: shape(await queue.getJobScheduler('cron')), none: await queue.getJobScheduler('none'), page: (await queue.getJobSchedulers(0, 0, true)).length, removed: [await queue.removeJobScheduler('cron'), await queue.removeJobScheduler('cron')],
    };
  },
  'runs of a scheduler': async (bench) => {
    const queue = bench.queue();
    const runs: unknown[] = [];
    const worker = bench.worker(async (job) => {
      runs.push([job.name, job.data, job.repeatJobKey, /^repeat:s:\d+$/.test(job.id), job.attemptsMade, (job.opts.repeat as { count?: number } | undefined)?.count]);
    });
    await queue.upsertJobScheduler('s', { every: 100, limit: 3 }, { name: 'tick', data: 5 });
    void worker.run();
    await once(worker, 'completed', 3);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return [runs, await queue.getJobSchedulersCount()];
  },
  'a scheduler that is changed': async (bench) => {
    const queue = bench.queue();
    await queue.upsertJobScheduler('s', { every: 3_600_000 }, { name: 'a', data: 1 });
    await queue.upsertJobScheduler('s', { pattern: '0 0 1 1 *' }, { name: 'b', data: 2 });
    const view = await queue.getJobScheduler('s');
    return [view?.name, view?.pattern, view?.every, view?.template, await queue.getJobSchedulersCount()];
  },
  'global concurrency, rate limit and isMaxed': async (bench) => {
    const queue = bench.queue();
    await queue.setGlobalConcurrency(1);
    const worker = bench.worker(null);
    await queue.addBulk([{ name: 'n', data: 1 }, { name: 'n', data: 1 }]);
    const first = await worker.getNextJob('a', { block: false });
    const second = await worker.getNextJob('b', { block: false });
    const maxed = await queue.isMaxed();
    await first?.moveToCompleted(1, 'a', false);
    await queue.rateLimit(60_000);
    const third = await worker.getNextJob('b', { block: false });
    const ttl = await queue.getRateLimitTtl();
    await queue.removeRateLimitKey();
    return [first !== undefined, second?.id, maxed, third?.id, ttl > 50_000, await queue.getRateLimitTtl(), (await queue.getMeta()).concurrency];
  },
};
