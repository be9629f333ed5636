import { unpack, unpackFacts } from '../core/codec.js';
import { parseSchedule, type Schedule, type ScheduleOptions } from '../core/cron.js';
import { DroverError } from '../core/errors.js';
import type { JobsOptions } from '../core/job-options.js';
import { isMap } from '../core/job-record.js';
import { printable } from '../core/nearest.js';

/** A schedule as it is stored: what the user asked for. The next slot is kept apart. */
export interface ScheduleDefinition {
  repeat: ScheduleOptions;
  name: string;
  data: unknown;
  opts: JobsOptions;
  /** Only a `repeatStrategy` can read its pattern. */
  custom?: true;
}

/** The id of the run of a schedule at a slot: the same in every process, so that a slot has one run. */
export function runId(scheduleId: string, slot: number): string {
  return `repeat:${scheduleId}:${slot}`;
}

/** Reads a stored definition. Throws CORRUPT_DATA when it is none. */
export function readDefinition(packed: Buffer, id: string): ScheduleDefinition {
  const stored = unpack(packed);
  if (!isMap(stored)) throw corrupt(id);
  const { repeat, name, data, opts, custom } = stored;
  if (!isMap(repeat) || typeof name !== 'string' || !isMap(opts)) throw corrupt(id);
  return { repeat, name, data, opts, ...(custom === true ? { custom } : undefined) };
}

/** What is kept of a schedule's runs. */
export interface PastRuns {
  count: number;
  /** The context of the upsert, which each run goes on. */
  trace: string | undefined;
}

/** Throws CORRUPT_DATA when what is stored does not say how many runs there were. */
export function readPastRuns(packed: Buffer | undefined, id: string): PastRuns {
  if (!packed) return { count: 0, trace: undefined };
  const stored = unpackFacts(packed);
  if (!isMap(stored) || typeof stored['count'] !== 'number') throw corrupt(id);
  return { count: stored['count'], trace: typeof stored['trace'] === 'string' ? stored['trace'] : undefined };
}

/** Options of the `count`-th run. A context of its own, or that it shall have none, is said by the definition. */
export function runOptions(definition: Pick<ScheduleDefinition, 'repeat' | 'opts'>, id: string, count: number, trace: string | undefined): JobsOptions {
  const { opts, repeat } = definition;
  const context = trace === undefined || opts.telemetry?.metadata || opts.telemetry?.omitContext ? undefined : { telemetry: { metadata: trace } };
  return { ...opts, ...context, repeatJobKey: id, repeat: { ...repeat, count } };
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
export function isUnanchored(repeat: ScheduleOptions): boolean {
  return (repeat.offset === undefined || repeat.offset === null) && repeat.startDate === undefined;
}
