import type { JobsOptions, Queue as Engine, ScheduleOptions, ScheduleView } from '../../index.js';
import { asJson, toEngine } from './job-options.js';
import type { CronRepeatOptions, EveryRepeatOptions, JobId, JobInformation, JobOptions, Repeat, RepeatQuery } from './declarations.js';

type AnyRepeat = Partial<CronRepeatOptions & EveryRepeatOptions> & { jobId?: JobId | undefined };
type Run = Awaited<ReturnType<Engine['upsertJobScheduler']>>;

/** Bull's name for a repeatable job: `name:jobId:endDate:tz:cron` or `name:jobId:endDate:every`. */
export function repeatKey(name: string, repeat: Repeat | RepeatQuery, jobId?: JobId): string {
  const { cron, every, tz, endDate } = repeat as AnyRepeat;
  const until = endDate ? new Date(endDate).getTime() : '';
  return `${name}:${jobId ?? ''}:${until}:${cron ? `${tz ?? ''}:${cron}` : String(every)}`;
}

/** A job that repeats is a schedule of the engine's. Resolves with a handle on its next run, or undefined when it has ended. */
export async function addRepeatable(engine: Engine, job: { name: string; data: unknown; opts: JobOptions }, defaults: JobOptions | undefined): Promise<Run | undefined> {
  const opts = { ...defaults, ...job.opts };
  const repeat = opts.repeat as Repeat & AnyRepeat;
  const { cron, every, limit, count = 0, endDate } = repeat;
  if (cron && every) throw new Error('Both .cron and .every options are defined for this repeatable job');
  if ((limit !== undefined && count + 1 > limit) || (endDate !== undefined && Date.now() > new Date(endDate).getTime())) return undefined;
  const key = repeatKey(job.name, repeat, opts.jobId ?? repeat.jobId);
  const run = await engine.upsertJobScheduler(key, scheduleOf(repeat), { name: job.name, data: asJson(job.data) ?? {}, opts: runOptions(opts) });
  return run;
}

/** Bull aligns `every` with the epoch. */
function scheduleOf({ cron, every, tz, startDate, endDate, limit, count }: AnyRepeat): ScheduleOptions {
  return {
    ...(cron ? { pattern: cron, ...(tz ? { tz } : undefined) } : { every, offset: 0 }),
    ...(startDate === undefined ? undefined : { startDate }),
    ...(endDate === undefined ? undefined : { endDate }),
    ...(limit === undefined ? undefined : { limit }),
    ...(count === undefined ? undefined : { count }),
  };
}

/** What the runs take along: not what the schedule decides. */
function runOptions(opts: JobOptions): JobsOptions {
  const { repeat: _repeat, delay: _delay, jobId: _jobId, debounce: _debounce, timestamp: _timestamp, lifo: _lifo, ...rest } = opts;
  return toEngine(rest, undefined);
}

/** A repeatable job as `getRepeatableJobs` shows it. */
export function information(view: ScheduleView): JobInformation {
  const { key, name, endDate, pattern, every, next, tz } = view;
  const end = String(endDate ?? '');
  const cronTail = pattern === undefined ? undefined : [`:${end}:${tz ?? ''}:${pattern}`, `:${end}::${pattern}`].find((tail) => key.endsWith(tail));
  const tail = cronTail ?? `:${end}:${every ?? ''}`;
  const isBull = key.startsWith(`${name}:`) && key.endsWith(tail) && key.length >= name.length + 1 + tail.length;
  const id = isBull ? key.slice(name.length + 1, -tail.length) : '';
  return {
    key,
    name,
    id: id === '' ? null : id,
    endDate: endDate ?? null,
    tz: pattern === undefined || (isBull && cronTail?.startsWith(`:${end}::`)) ? null : tz ?? null,
    cron: pattern ?? null,
    every: every ?? null,
    next,
  };
}
