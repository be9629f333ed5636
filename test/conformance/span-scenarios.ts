import type * as drover from 'drover';
import { once } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';
import type { Recorder } from './span-recorder.js';

type Library = typeof drover;

/** What a scenario works with: the same calls go to either library. */
export interface Stage extends Recorder {
  library: Library;
  name: string;
  opts: drover.QueueOptions;
}

/** Calls, and what else than spans is to be compared, e.g. the contexts that jobs carry. */
export type Scenario = (stage: Stage) => Promise<unknown>;

export const scenarios: Record<string, Scenario> = {
  'a queue': async ({ library, name, opts }) => {
    const queue = new library.Queue(name, opts);
    await queue.add('a', 1, { jobId: 'j1' });
    await queue.addBulk([{ name: 'b', data: 1 }]);
    await queue.pause();
    await queue.resume();
    await queue.rateLimit(1);
    await queue.updateJobProgress('j1', 5);
    await queue.promoteJobs();
    await queue.retryJobs();
    await queue.clean(0, 10);
    await queue.trimEvents(10);
    await queue.removeDeduplicationKey('x');
    await queue.remove('j1');
    await queue.drain();
    await queue.recordJobCountsMetric('waiting', 'failed');
    await queue.obliterate({ force: true });
    await queue.close();
    await queue.close();
  },

  'a schedule': async ({ library, name, opts }) => {
    const queue = new library.Queue(name, opts);
    const job = await queue.upsertJobScheduler('s1', { every: 60_000 }, { name: 'tick', data: 1 });
    await queue.upsertJobScheduler('s2', { pattern: '0 0 1 1 *' });
    await queue.upsertJobScheduler('s3', { every: 0 }).catch(() => undefined);
    await queue.close();
    return contextsOf([{ job }]);
  },

  'runs of schedules': async ({ library, name, opts }) => {
    const queue = new library.Queue(name, opts);
    const carried: [string, unknown][] = [];
    const { telemetry: _none, ...silent } = opts;
    const worker = new library.Worker(name, (job) => void carried.push([job.name, job.opts.telemetry?.metadata || undefined]), { ...silent, autorun: false });
    const repeat = { every: 20, limit: 2 };
    const jobs = [
      await queue.upsertJobScheduler('plain', repeat, { name: 'plain' }), await queue.upsertJobScheduler('own', repeat, { name: 'own', opts: { telemetry: { metadata: 'mine' } } }),
      await queue.upsertJobScheduler('none', repeat, { name: 'none', opts: { telemetry: { omitContext: true } } }),
    ];
    void worker.run();
    await until('all have run', () => carried.length === 6);
    await Promise.all([worker.close(), queue.close()]);
    return [...contextsOf(jobs.map((job) => ({ job }))), ...carried.sort()];
  },

  'flows': async ({ library, name, opts }) => {
    const flows = new library.FlowProducer(opts);
    const tree = (n: number): drover.FlowJob => ({
      name: 'root', queueName: name, opts: { jobId: `root${n}` },
      children: [
        { name: 'leaf', queueName: name, opts: { jobId: `leaf${n}` } },
        {
          name: 'branch', queueName: `${name}2`, opts: { jobId: `branch${n}` },
          children: [{ name: 'twig', queueName: name, opts: { jobId: `twig${n}`, telemetry: { omitContext: true } } }],
        },
      ],
    });
    const added = [await flows.add(tree(1)), ...(await flows.addBulk([tree(2), { name: 'alone', queueName: name, opts: { jobId: 'alone' } }]))];
    added.push(await flows.add({ name: 'bare', queueName: name }));
    await flows.add({ name: 'x', queueName: name, opts: { jobId: 'refused', priority: 2 ** 30 } }).catch(() => undefined);
    await flows.close();
    return contextsOf(added);
  },

  'a worker': async ({ library, name, opts, open }) => {
    const queue = new library.Queue(name, opts);
    const attempts = new Map<string, number>();
    const worker = new library.Worker(name, async (job, token) => {
      const attempt = (attempts.get(job.name) ?? 0) + 1;
      attempts.set(job.name, attempt);
      if (job.name === 'well') return { fine: true };
      if (job.name === 'long') await until('leases were renewed', () => renewed(job.id));
      if (job.name === 'for good') throw new library.UnrecoverableError('for good');
      if (attempt > 1) return 'at last';
      if (job.name === 'limited') {
        await worker.rateLimit(5);
        throw library.Worker.RateLimitError();
      }
      if (job.name === 'later') {
        await job.moveToDelayed(Date.now() + 5, token);
        throw new library.DelayedError();
      }
      if (job.name === 'again') {
        await job.moveToWait(token);
        throw new library.WaitingError();
      }
      throw new Error('no');
    }, { ...opts, name: 'w', autorun: false, lockDuration: 10_000, lockRenewTime: 50 });
    const renewals: string[] = [];
    worker.on('locksRenewed', ({ jobIds }: { jobIds: string[] }) => void renewals.push(...jobIds));
    const renewed = (id = ''): boolean => renewals.includes(id);
    const jobs: [string, drover.JobsOptions?][] = [
      ['well'], ['long', { attempts: 2 }], ['for good', { attempts: 2 }], ['fails'], ['retries', { attempts: 2 }],
      ['waits', { attempts: 2, backoff: 5 }], ['limited'], ['later'], ['again'],
    ];
    void worker.run();
    for (const [name, given] of jobs) {
      const end = Promise.race([once(worker, 'completed'), once(worker, 'failed', (job: drover.Job) => job.finishedOn !== undefined)]);
      await queue.add(name, 1, { jobId: name, ...given });
      await end;
      await until('the spans have ended', () => [...open].every((span) => !span.name.startsWith('process')));
    }
    await worker.pause();
    await worker.resume();
    await worker.pause(true);
    await worker.close();
    await worker.close();
    await queue.close();
  },

  'by hand': async ({ library, name, opts }) => {
    const queue = new library.Queue(name, opts);
    const worker = new library.Worker(name, null, opts);
    const take = async (id: string, given: drover.JobsOptions = {}): Promise<drover.Job> => {
      await queue.add(id, 1, { jobId: id, ...given });
      const job = await worker.getNextJob('t');
      if (!job) throw new Error(`Nobody gave ${id}.`);
      return job as drover.Job;
    };
    await (await take('well')).moveToCompleted(1, 't', false);
    await (await take('ill')).moveToFailed(new Error('no'), 't', false);
    await (await take('again', { attempts: 2 })).moveToFailed(new Error('no'), 't', false);
    await queue.drain();
    await (await take('later', { attempts: 2, backoff: 60_000 })).moveToFailed(new Error('no'), 't', false);
    await (await take('moved')).moveToDelayed(Date.now() + 60_000, 't');
    await worker.getNextJob('t', { block: false });
    await worker.close(true);
    await queue.close();
  },
};

/** By name of the job: the context that it carries. */
function contextsOf(nodes: readonly drover.JobNode[]): [string, unknown][] {
  return nodes.flatMap(({ job, children = [] }) => [
    [`${job.name} carries`, job.opts.telemetry?.metadata || undefined] as [string, unknown], ...contextsOf(children),
  ]);
}
