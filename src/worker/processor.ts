import { InvalidInputError } from '../core/errors.js';
import { kindOf } from '../core/check.js';
import { validate, type JobSchemas } from '../core/schema.js';
import type { Job, JobProgress } from '../queue/job.js';
import type { AnyJobOf, IsJobMap, JobOf, NameOf, ResultOf } from '../queue/job-types.js';
import { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxJobData, SandboxJobHost } from '../sandbox/sandboxed-job.js';
import type { Handler } from './executor.js';
import type { WorkerOptions } from './worker-options.js';

/** What processes the jobs of a queue: it gets the job, its token, and a signal that fires when it should stop. */
export type Processor<DataType = any, ResultType = any, NameType extends string = string, ProgressType extends JobProgress = JobProgress> = // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  (job: Job<DataType, ResultType, NameType, ProgressType>, token?: string, signal?: AbortSignal) => Promise<ResultType> | ResultType;

/** One processor per job name; `*` is for all names that have none of their own. */
export type ProcessorMap<DataType = any, ResultType = any> = Record<string, Processor<DataType, ResultType>>; // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults

/** What a worker is given to process with: a function, a function per name, or a module's path or file URL. */
export type ProcessorSource<Jobs, R, N extends string> = string | URL
  | (IsJobMap<Jobs> extends true ? TypedProcessor<Jobs, R, N> | TypedProcessorMap<Jobs, R, N> : Processor<Jobs, R, N> | ProcessorMap<Jobs, R>);

/** A processor of all names of a map of jobs: `job.name` narrows `job.data`. */
type TypedProcessor<Jobs, R, N extends string> =
  (job: AnyJobOf<Jobs, R, N>, token?: string, signal?: AbortSignal) => Awaitable<ResultOf<Jobs, R, NameOf<Jobs, N>>>;

/** A processor for each name of a map of jobs; without `*`, all of them. */
type TypedProcessorMap<Jobs, R, N extends string> = ForNames<Jobs, R, N> | (Partial<ForNames<Jobs, R, N>> & { '*': TypedProcessor<Jobs, R, N> });

type ForNames<Jobs, R, N extends string> = {
  [Name in NameOf<Jobs, N>]: (job: JobOf<Jobs, R, Name>, token?: string, signal?: AbortSignal) => Awaitable<ResultOf<Jobs, R, Name>>
};

type Awaitable<T> = Promise<T> | T;

/** A processor made ready to run. */
export interface PreparedHandler {
  run: Handler;
  /** Whether it looks at its signal: functions that do not name a third parameter get none. */
  wantsSignal: boolean;
  /** Follows the worker's concurrency. */
  resize(concurrency: number): void;
  close(force: boolean): Promise<void>;
}

/** Makes a processor ready. Throws INVALID_HANDLER. */
export function prepareHandler(source: unknown, opts: WorkerOptions): PreparedHandler {
  const prepared = prepare(source, opts);
  return opts.validateOnTake && opts.schemas ? { ...prepared, run: validated(prepared.run, opts.schemas) } : prepared;
}

/** A handler that sees only data which satisfies the schema of its name. */
function validated(run: Handler, schemas: JobSchemas): Handler {
  return (job, token, signal) => {
    const later = validate(schemas, job.name, job.data, 'data');
    return later ? later.then(() => run(job, token, signal)) : run(job, token, signal);
  };
}

function prepare(source: unknown, opts: WorkerOptions): PreparedHandler {
  if (typeof source === 'function') return inProcess(source as Handler, source.length >= 3);
  if (typeof source === 'string' || source instanceof URL) return sandboxed(source, opts);
  if (typeof source === 'object' && source !== null && !Array.isArray(source)) return byName(source as Record<string, unknown>);
  throw new InvalidInputError('INVALID_HANDLER', { field: 'processor', message: `The processor is ${kindOf(source)}.` });
}

function inProcess(run: Handler, wantsSignal: boolean): PreparedHandler {
  return { run, wantsSignal, resize: () => undefined, close: () => Promise.resolve() };
}

/** A map without a prototype, so that a job named `toString` finds a handler only if there is one. */
function byName(source: Record<string, unknown>): PreparedHandler {
  const handlers = new Map<string, Handler>();
  for (const [name, handler] of Object.entries(source)) {
    if (typeof handler !== 'function') {
      throw new InvalidInputError('INVALID_HANDLER', { field: `processor.${name}`, message: `The processor of "${name}" is ${kindOf(handler)}, not a function.` });
    }
    handlers.set(name, handler as Handler);
  }
  if (handlers.size === 0) throw new InvalidInputError('INVALID_HANDLER', { field: 'processor', message: 'The processor is a map without handlers.' });
  const run: Handler = (job, token, signal) => {
    const handler = handlers.get(job.name) ?? handlers.get('*');
    if (!handler) {
      throw new InvalidInputError('INVALID_HANDLER', {
        field: 'name', message: `Missing process handler for job type ${job.name}.`, hint: 'Add a handler for this name, or one named "*".',
      });
    }
    return handler(job, token, signal);
  };
  return inProcess(run, [...handlers.values()].some((handler) => handler.length >= 3));
}

function sandboxed(file: string | URL, opts: WorkerOptions): PreparedHandler {
  const sandbox = new Sandbox(file, {
    maxChildren: opts.concurrency ?? 1,
    ...(opts.useWorkerThreads === undefined ? undefined : { useWorkerThreads: opts.useWorkerThreads }),
    ...(opts.workerForkOptions === undefined ? undefined : { workerForkOptions: opts.workerForkOptions }),
    ...(opts.workerThreadsOptions === undefined ? undefined : { workerThreadsOptions: opts.workerThreadsOptions }),
  });
  const never = new AbortController().signal;
  return {
    run: (job, token, signal) => sandbox.run(hostOf(job), token, signal ?? never),
    wantsSignal: true,
    resize: (concurrency) => {
      sandbox.maxChildren = concurrency;
    },
    close: (force) => sandbox.close(force),
  };
}

/** What a handler in a child process is given of its job, and the methods by which it reaches the queue. */
function hostOf(job: Job): SandboxJobHost {
  return {
    asSandbox: () => ({ ...job.toJSON(), queueName: job.queueName }) as unknown as SandboxJobData,
    log: (row) => job.log(row),
    updateProgress: (progress) => job.updateProgress(progress as JobProgress),
    updateData: (data) => job.updateData(data),
    moveToDelayed: (timestamp, token) => job.moveToDelayed(timestamp, token),
    moveToWait: (token) => job.moveToWait(token),
    moveToWaitingChildren: (token, opts) => job.moveToWaitingChildren(token, opts as { child?: { id: string; queue: string } } | undefined),
    getChildrenValues: () => job.getChildrenValues(),
    getIgnoredChildrenFailures: () => job.getIgnoredChildrenFailures(),
    getDependenciesCount: (opts) => job.getDependenciesCount(opts),
  };
}
