import { fileURLToPath } from 'node:url';
import { attempt, once } from '../observe.js';
import type { Bench, Scenarios } from './bench.js';

type Job = NonNullable<Awaited<ReturnType<ReturnType<Bench['worker']>['getNextJob']>>>;

/** Sandboxed processors: the same files, run in child processes and in worker threads. */

const file = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url);

interface Place {
  handler: URL | string;
  threads?: boolean;
}

/** Runs jobs of these names until each has ended, and shows what became of them and what the worker told. */
async function ran(bench: Bench, { handler, threads = false }: Place, names: readonly string[]): Promise<unknown> {
  const queue = bench.queue();
  const worker = bench.worker(handler, { useWorkerThreads: threads, concurrency: 1 });
  const heard: Record<string, unknown[]> = Object.fromEntries(names.map((name) => [name, []]));
  worker.on('progress', (job, progress) => void heard[job.name]?.push(['progress', progress]));
  worker.on('completed', (job, result) => void heard[job.name]?.push(['completed', result]));
  worker.on('failed', (job, error) => void heard[job?.name ?? '']?.push(['failed', error.name, error.message, (error as Error & { code?: string }).code]));
  for (const name of names) await queue.add(name, name, { jobId: name, attempts: 2 });
  void worker.run();
  while ((await queue.getCompletedCount()) + (await queue.getFailedCount()) < names.length) await new Promise((resolve) => setTimeout(resolve, 5));
  await worker.close();
  const jobs = await Promise.all(names.map((name) => queue.getJob(name)));
  return jobs.map((job) => job && {
    name: job.name, heard: heard[job.name], returnvalue: job.returnvalue as unknown, failedReason: job.failedReason, progress: job.progress, data: job.data as unknown,
    attemptsMade: job.attemptsMade, attemptsStarted: job.attemptsStarted, traces: job.stacktrace?.length,
  });
}

/** Cancels a job once its handler has begun. */
async function cancelled(bench: Bench, threads: boolean): Promise<unknown> {
  const queue = bench.queue();
  const worker = bench.worker(file('handler.mjs'), { useWorkerThreads: threads, concurrency: 1 });
  await queue.add('waits', 1, { jobId: 'x' });
  const [begun, failed] = [once(worker, 'progress'), once<[Job, Error]>(worker, 'failed')];
  void worker.run();
  await begun;
  const answers = [worker.cancelJob('none'), worker.cancelJob('x', 'enough')];
  const [job, error] = await failed;
  await worker.close();
  const after = await queue.getJob('x');
  return [answers, job.id, error.name, error.message, await after?.getState(), after?.attemptsMade];
}

const all = ['good', 'bad', 'text', 'sync', 'nothing', 'never', 'later', 'again', 'exits'];

export const sandbox: Scenarios = {
  'a sandboxed processor in a child process': (bench) => ran(bench, { handler: file('handler.mjs') }, all),
  'a sandboxed processor in a worker thread': (bench) => ran(bench, { handler: file('handler.mjs'), threads: true }, all),
  'a sandboxed processor in CommonJS, by path': async (bench) => ran(bench, { handler: fileURLToPath(file('handler.cjs')) }, ['good', 'bad']),
  'a sandboxed processor by path, in a worker thread': async (bench) => ran(bench, { handler: fileURLToPath(file('handler.cjs')), threads: true }, ['good', 'bad']),
  'a sandboxed processor that cannot be loaded': (bench) => ran(bench, { handler: file('broken.mjs') }, ['good']),
  'a sandboxed processor that is not there': async (bench) => [
    await attempt(() => bench.worker('/nowhere/handler.mjs')), await attempt(() => bench.worker(new URL('file:///nowhere/handler.mjs'))),
  ],
  'the rows of a sandboxed processor': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(file('handler.mjs'));
    const completed = once(worker, 'completed');
    await queue.add('good', 1, { jobId: 'x' });
    void worker.run();
    await completed;
    return queue.getJobLogs('x');
  },
  'cancelling a sandboxed processor': (bench) => cancelled(bench, false),
  'cancelling a sandboxed processor in a thread': (bench) => cancelled(bench, true),
  'a sandboxed processor of a parent': async (bench) => {
    const flow = bench.flow();
    const worker = bench.worker(file('handler.mjs'));
    const completed = once(worker, 'completed', 3);
    await flow.add({ name: 'parent', queueName: bench.name, data: 1, children: [{ name: 'sync', queueName: bench.name, data: 1 }, { name: 'sync', queueName: bench.name, data: 2 }] });
    void worker.run();
    return (await completed)[1];
  },
};
