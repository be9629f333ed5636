import { pack } from '../core/codec.js';
import { anything, checkId, checkJobName, checkOptions, checkValue, plainObject } from '../core/check.js';
import { firstSlot, hasPattern, parseCustomSchedule, parseSchedule, type ScheduleOptions } from '../core/cron.js';
import { customSlot } from '../core/custom-slots.js';
import { InvalidInputError } from '../core/errors.js';
import { checkDefaultJobOptions, checkSize, type JobsOptions } from '../core/job-options.js';
import { validate } from '../core/schema.js';
import type { AdvancedRepeatOptions } from '../core/strategies.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { bytes, integer, list, text } from '../redis/script.js';
import { removeSchedule } from '../redis/scripts/remove-schedule.js';
import { upsertSchedule } from '../redis/scripts/upsert-schedule.js';
import type { JobSchedulerTemplateOptions } from './bullmq-types.js';
import { storedOptions } from './draft.js';
import { Job, type JobOwner } from './job.js';
import { checkRange } from './queue-getters.js';
import { tracedUpsert, type UpsertRequest } from './traced-add.js';
import { isUnanchored, readDefinition, readPastRuns, runId, runOptions, type ScheduleDefinition } from './schedule-definition.js';

/** What each run of a schedule is made of. */
export interface ScheduleTemplate {
  /** Default: the schedule's id. */
  name?: string;
  data?: unknown;
  /** Options of the runs; id, delay, repeat and deduplication are the scheduler's, and no run has a parent: INVALID_OPTION. */
  opts?: Omit<JobsOptions, 'jobId' | 'repeat' | 'delay' | 'deduplication'>;
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

/** What the schedules of a queue take from its options. */
export interface SchedulesTerms {
  telemetry?: Telemetry | undefined;
  settings?: AdvancedRepeatOptions | undefined;
}

/** What is stored of when a schedule runs. */
interface Plan {
  repeat: ScheduleOptions;
  first: number;
  custom?: { custom: true };
}

const ended = (field: string, message: string): InvalidInputError =>
  new InvalidInputError('INVALID_SCHEDULE', { field, message, hint: 'Let it have at least one run, or do not add it.' });

/** Options that a template cannot give, since the scheduler does. In a queue's defaults they are for other jobs, and left aside. */
const notOfRuns = {
  delay: 'Use `startDate`, or `offset` with `every`, to shift the runs.',
  deduplication: 'A slot has one run; `overlap: "skip"` leaves one out while the one before has not ended.',
  jobId: 'The id of a run is made of its schedule and slot.',
  repeat: 'The second argument says how the schedule repeats.',
  parent: 'Let the handler of a run add its children, or a flow.',
};

function refuseOwnOptions(opts: Readonly<Record<string, unknown>>): void {
  for (const [name, hint] of Object.entries(notOfRuns)) {
    if (opts[name] === undefined) continue;
    throw new InvalidInputError('INVALID_OPTION', { field: `jobTemplate.opts.${name}`, message: `jobTemplate.opts.${name} cannot be given to the runs of a schedule.`, hint });
  }
}

function runDefaults(defaults: JobsOptions | undefined): JobsOptions {
  const { delay: _delay, deduplication: _deduplication, repeat: _repeat, ...rest } = defaults ?? {};
  return rest;
}

/** The schedules of one queue. */
export class Schedules {
  readonly #owner: JobOwner;
  readonly #terms: SchedulesTerms;

  constructor(owner: JobOwner, terms: SchedulesTerms) {
    this.#owner = owner;
    this.#terms = terms;
  }

  /** Creates or changes a schedule, within a span if there is telemetry: its runs go on that trace. Answers the next run. */
  async upsert(id: string, repeat: ScheduleOptions, template: ScheduleTemplate, defaults?: JobsOptions): Promise<Job> {
    checkValue(template, plainObject, 'jobTemplate');
    const { telemetry } = this.#terms;
    const request = { id, repeat, template, defaults };
    return telemetry ? tracedUpsert(telemetry, this.#owner.name, request, (trace) => this.#upsert(request, trace)) : this.#upsert(request);
  }

  async #upsert({ id, repeat, template, defaults }: UpsertRequest, trace?: string): Promise<Job> {
    checkId(id, 'jobSchedulerId');
    checkOptions(template, { name: anything, data: anything, opts: plainObject }, 'jobTemplate');
    if (template.opts) {
      refuseOwnOptions({ ...template.opts });
      checkDefaultJobOptions(template.opts, 'jobTemplate.opts');
    }
    const name = template.name ?? id;
    checkJobName(name, 'jobTemplate.name');
    if (this.#owner.dataSchemas) await validate(this.#owner.dataSchemas, name, template.data, 'jobTemplate.data');
    const plan = await this.#plan(id, repeat, name);
    const definition: ScheduleDefinition = {
      repeat: plan.repeat, name, data: template.data, opts: storedOptions({ ...runDefaults(defaults), ...template.opts }) ?? {}, ...plan.custom,
    };
    const packed = pack(definition, 'jobTemplate.data', template.data);
    checkSize(packed.length, definition.opts.sizeLimit, 'jobTemplate.data');
    const { connection, keys } = this.#owner.jobs;
    const { slot, runs } = await connection.run(upsertSchedule, keys, { id, definition: packed, slot: plan.first, trace });
    const count = (repeat.count ?? 0) + runs + 1;
    return this.#nextRun(id, slot, definition, runOptions(definition, id, count, trace));
  }

  async get(id: string): Promise<ScheduleView | undefined> {
    const next = await this.next(id);
    return next === undefined ? undefined : (await this.#views([[id, next]]))[0];
  }

  /** When a schedule fires next, in ms, or undefined when there is none of that id. */
  async next(id: string): Promise<number | undefined> {
    checkId(id, 'jobSchedulerId');
    const { connection, keys } = this.#owner.jobs;
    const score = await connection.command('zscore', [keys.key('schedules'), id], 'read a schedule');
    return score === null ? undefined : Number(text(score));
  }

  async list(start: number, end: number, asc: boolean): Promise<ScheduleView[]> {
    checkRange(start, end);
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

  async remove(id: string): Promise<boolean> {
    checkId(id, 'jobSchedulerId');
    const { connection, keys } = this.#owner.jobs;
    return connection.run(removeSchedule, keys, { id });
  }

  /** Checks when the schedule is to run, and finds its first slot. */
  async #plan(id: string, repeat: ScheduleOptions, name: string): Promise<Plan> {
    const strategy = this.#terms.settings?.repeatStrategy;
    if (strategy && hasPattern(repeat)) {
      const terms = parseCustomSchedule(repeat);
      const now = Math.round(await this.#owner.jobs.connection.serverNow());
      const first = await customSlot(strategy, { terms, repeat, name, after: now, isFirst: true });
      if (first === undefined) throw ended('settings.repeatStrategy', 'settings.repeatStrategy answered no time within the schedule: it would never run.');
      return { repeat: { ...repeat }, first, custom: { custom: true } };
    }
    const schedule = parseSchedule(repeat, { seed: id });
    const now = await this.#owner.jobs.connection.serverNow();
    const first = schedule.kind === 'every' && isUnanchored(repeat) ? now : firstSlot(schedule, now);
    if (first === undefined || (schedule.endAt !== undefined && first > schedule.endAt)) throw ended('repeat.endDate', 'The schedule ends before its first run.');
    return { repeat: schedule.kind === 'pattern' ? { ...repeat, tz: schedule.tz } : { ...repeat }, first };
  }

  #nextRun(id: string, slot: number, definition: ScheduleDefinition, opts: JobsOptions): Job {
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
  const iterationCount = readPastRuns(runs, id).count;
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

