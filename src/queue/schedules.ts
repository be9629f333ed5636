import { pack, unpack, unpackFacts } from '../core/codec.js';
import { checkJobName, checkOptions, checkValue, anything, plainObject } from '../core/check.js';
import { firstSlot, parseSchedule, type Schedule, type ScheduleOptions } from '../core/cron.js';
import { DroverError, InvalidInputError } from '../core/errors.js';
import { checkDefaultJobOptions, checkSize, type JobsOptions } from '../core/job-options.js';
import { isMap } from '../core/job-record.js';
import { printable } from '../core/nearest.js';
import { bytes, integer, list, text } from '../redis/script.js';
import { removeSchedule } from '../redis/scripts/remove-schedule.js';
import { upsertSchedule } from '../redis/scripts/upsert-schedule.js';
import { storedOptions } from './draft.js';
import type { JobSchedulerTemplateOptions } from './bullmq-types.js';
import { Job, type JobOwner } from './job.js';

/** What each run of a schedule is made of. */
export interface ScheduleTemplate {
  /** Default: the schedule's id. */
  name?: string;
  data?: unknown;
  /** Options of the runs; id, delay, repeat and deduplication are the scheduler's. */
  opts?: Omit<JobsOptions, 'jobId' | 'repeat' | 'delay' | 'deduplication'>;
}

/** A schedule as it is stored: what the user asked for. The next slot is kept apart. */
export interface ScheduleDefinition {
  repeat: ScheduleOptions;
  name: string;
  data: unknown;
  opts: JobsOptions;
}

/** A schedule as the getters show it. */
export interface ScheduleView<Data = any> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's default
  key: string;
  id: string;
  name: string;
  /** When it fires next, in ms. */
  next: number;
  pattern?: string;
  every?: number;
  tz?: string;
  startDate?: number;
  endDate?: number;
  limit?: number;
  offset?: number;
  iterationCount: number;
  template: JobSchedulerTemplateJson<Data>;
}

/** What the runs of a schedule are made of. */
export interface JobSchedulerTemplateJson<Data = any> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's default
  data?: Data;
  opts?: JobSchedulerTemplateOptions;
}

/** The id of the run of a schedule at a slot: the same in every process, so that a slot has one run. */
export function runId(scheduleId: string, slot: number): string {
  return `repeat:${scheduleId}:${slot}`;
}

/** Reads a stored definition. Throws CORRUPT_DATA when it is none. */
export function readDefinition(packed: Buffer, id: string): ScheduleDefinition {
  const stored = unpack(packed);
  if (!isMap(stored)) throw corrupt(id);
  const { repeat, name, data, opts } = stored;
  if (!isMap(repeat) || typeof name !== 'string' || !isMap(opts)) throw corrupt(id);
  return { repeat, name, data, opts };
}

/** How many runs a schedule has had. Throws CORRUPT_DATA when what is stored does not say. */
export function readRunCount(packed: Buffer | undefined, id: string): number {
  if (!packed) return 0;
  const stored = unpackFacts(packed);
  if (!isMap(stored) || typeof stored['count'] !== 'number') throw corrupt(id);
  return stored['count'];
}

function corrupt(id: string): DroverError {
  return new DroverError('CORRUPT_DATA', { field: 'schedule', message: `What Redis holds of the schedule ${printable(id)} cannot be read.` });
}

/** The slots of a definition. Without an offset, `every` counts from the slot it is at. */
export function scheduleOf(definition: ScheduleDefinition, id: string, anchor: number): Schedule {
  const schedule = parseSchedule(definition.repeat, { seed: id });
  const anchored = schedule.kind === 'every' && isUnanchored(definition.repeat);
  return anchored ? { ...schedule, offset: anchor % schedule.every } : schedule;
}

/** `every` with neither offset nor start: it runs at once, then every so often from there, as in BullMQ. */
function isUnanchored(repeat: ScheduleOptions): boolean {
  return (repeat.offset === undefined || repeat.offset === null) && repeat.startDate === undefined;
}

/** The schedules of one queue. */
export class Schedules {
  readonly #owner: JobOwner;

  constructor(owner: JobOwner) {
    this.#owner = owner;
  }

  async upsert(id: string, repeat: ScheduleOptions, template: ScheduleTemplate, defaults: JobsOptions | undefined): Promise<Job> {
    checkValue(template, plainObject, 'jobTemplate');
    checkOptions(template, { name: anything, data: anything, opts: plainObject }, 'jobTemplate');
    if (template.opts) checkDefaultJobOptions(template.opts, 'jobTemplate.opts');
    const schedule = parseSchedule(repeat, { seed: id });
    const name = template.name ?? id;
    checkJobName(name, 'jobTemplate.name');
    const zone = schedule.kind === 'pattern' ? { tz: schedule.tz } : undefined;
    const definition: ScheduleDefinition = {
      repeat: { ...repeat, ...zone }, name, data: template.data, opts: storedOptions({ ...defaults, ...template.opts }) ?? {},
    };
    const packed = pack(definition, 'jobTemplate.data', template.data);
    checkSize(packed.length, definition.opts.sizeLimit, 'jobTemplate.data');
    const first = this.#firstSlot(schedule, repeat, await this.#owner.jobs.connection.serverNow());
    const { connection, keys } = this.#owner.jobs;
    const { slot } = await connection.run(upsertSchedule, keys, { id, definition: packed, slot: first });
    return this.#nextRun(id, slot, definition);
  }

  async get(id: string): Promise<ScheduleView | undefined> {
    const { connection, keys } = this.#owner.jobs;
    const score = await connection.command('zscore', [keys.key('schedules'), id], 'read a schedule');
    return score === null ? undefined : (await this.#views([[id, Number(text(score))]]))[0];
  }

  async list(start: number, end: number, asc: boolean): Promise<ScheduleView[]> {
    const { connection, keys } = this.#owner.jobs;
    const command = asc ? 'zrange' : 'zrevrange';
    const raw = list(await connection.command(command, [keys.key('schedules'), start, end, 'WITHSCORES'], 'list schedules'));
    const flat = raw.flatMap((item) => (Array.isArray(item) ? item : [item]));
    const pairs = Array.from({ length: flat.length / 2 }, (_, i): [string, number] => [text(flat[2 * i]), Number(text(flat[2 * i + 1]))]);
    return this.#views(pairs);
  }

  async count(): Promise<number> {
    const { connection, keys } = this.#owner.jobs;
    return integer(await connection.command('zcard', [keys.key('schedules')], 'count schedules'));
  }

  remove(id: string): Promise<boolean> {
    const { connection, keys } = this.#owner.jobs;
    return connection.run(removeSchedule, keys, { id });
  }

  #firstSlot(schedule: Schedule, repeat: ScheduleOptions, now: number): number {
    const first = schedule.kind === 'every' && isUnanchored(repeat) ? now : firstSlot(schedule, now);
    if (first === undefined || (schedule.endAt !== undefined && first > schedule.endAt)) {
      throw new InvalidInputError('INVALID_SCHEDULE', { field: 'repeat.endDate', message: 'The schedule ends before its first run.' });
    }
    return first;
  }

  #nextRun(id: string, slot: number, definition: ScheduleDefinition): Job {
    const opts = { ...definition.opts, repeatJobKey: id, repeat: definition.repeat };
    const job = new Job(this.#owner, definition.name, definition.data === undefined ? {} : definition.data, opts, runId(id, slot));
    job.timestamp = Math.round(this.#owner.jobs.connection.now);
    job.delay = Math.max(0, slot - job.timestamp);
    return job;
  }

  async #views(pairs: [id: string, next: number][]): Promise<ScheduleView[]> {
    if (pairs.length === 0) return [];
    const { connection, keys } = this.#owner.jobs;
    const ids = pairs.map(([id]) => id);
    const [definitions, runs] = await Promise.all([
      connection.command('hmget', [keys.key('schedule'), ...ids], 'read schedules'),
      connection.command('hmget', [keys.key('scheduleRuns'), ...ids], 'read schedules'),
    ]);
    return pairs.flatMap(([id, next], i) => {
      const packed = bytes(list(definitions)[i]);
      return packed ? [view(id, next, readDefinition(packed, id), bytes(list(runs)[i]))] : [];
    });
  }
}

function view(id: string, next: number, definition: ScheduleDefinition, runs: Buffer | undefined): ScheduleView {
  const { pattern, every, tz, startDate, endDate, limit, offset } = definition.repeat;
  const iterationCount = readRunCount(runs, id);
  return {
    key: id,
    id,
    name: definition.name,
    next,
    iterationCount,
    ...(pattern === undefined ? undefined : { pattern }),
    ...(every === undefined ? undefined : { every, offset: offset ?? next % every }),
    ...(tz === undefined ? undefined : { tz }),
    ...(startDate === undefined ? undefined : { startDate: +new Date(startDate) }),
    ...(endDate === undefined ? undefined : { endDate: +new Date(endDate) }),
    ...(limit === undefined ? undefined : { limit }),
    template: { data: definition.data, opts: definition.opts },
  };
}

