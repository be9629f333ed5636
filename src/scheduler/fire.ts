import { DroverError, InvalidInputError, RedisError } from '../core/errors.js';
import { packNewFacts, packRecord } from '../core/job-record.js';
import { ScriptPacker } from '../core/script-packer.js';
import type { RepeatStrategy } from '../core/strategies.js';
import type { JobStore } from '../queue/job-store.js';
import { readDefinition, readPastRuns, runId, runOptions, type PastRuns, type ScheduleDefinition } from '../queue/schedule-definition.js';
import { bytes, list, text } from '../redis/script.js';
import { fireSchedule } from '../redis/scripts/fire-schedule.js';
import { removeSchedule } from '../redis/scripts/remove-schedule.js';
import { mostRuns, timetableOf } from './timetable.js';

/** How many schedules are looked at in one round. */
const mostSchedules = 100;

interface DueSchedule {
  id: string;
  slot: number;
  packed: Buffer;
  /** Runs created so far, still packed. */
  past: Buffer | undefined;
}

/** What firing tells, and remembers from one round to the next. */
export interface FiringTerms {
  /** Hears of schedules that cannot be fired. */
  failed: (error: Error) => void;
  /** The worker's own, for schedules with a pattern. */
  readonly strategy?: RepeatStrategy | undefined;
  /** Schedules that this process does not understand, and until when it leaves them alone: local clock, ms. */
  readonly misread: Map<string, number>;
}

/** How long a schedule that this process does not understand is left alone: a newer version may know it. */
const misreadMs = 60_000;

/**
 * Fires every schedule whose slot has come. Answers when the next one is due in ms, 0 for never. One that cannot be read
 * is set aside and reported, so that it holds up no other.
 */
export async function fireDueSchedules(jobs: JobStore, terms: FiringTerms): Promise<number> {
  for (;;) {
    const now = jobs.connection.now;
    const head = await readHead(jobs, terms);
    const due = head.filter(({ slot }) => slot <= now);
    if (due.length === 0) return head[0]?.slot ?? 0;
    for (const schedule of due) await fireSafely(jobs, schedule, now, terms);
    if (due.length < mostSchedules && head.length < mostSchedules) {
      const rest = head.filter(({ slot }) => slot > now).map(({ slot }) => slot);
      const again = await readHead(jobs, terms);
      return again[0]?.slot ?? rest[0] ?? 0;
    }
  }
}

async function fireSafely(jobs: JobStore, due: DueSchedule, now: number, { failed, misread, strategy }: FiringTerms): Promise<void> {
  try {
    await fire(jobs, due, now, strategy);
  } catch (error) {
    if (error instanceof InvalidInputError) misread.set(due.id, performance.now() + misreadMs);
    else if (error instanceof DroverError && error.code === 'CORRUPT_DATA' && !(error instanceof RedisError)) await jobs.connection.run(removeSchedule, jobs.keys, { id: due.id });
    else throw error;
    failed(error);
  }
}

/** The schedules that fire first. */
async function readHead(jobs: JobStore, { misread }: FiringTerms): Promise<DueSchedule[]> {
  const { connection, keys } = jobs;
  const raw = list(await connection.command('zrange', [keys.key('schedules'), 0, mostSchedules - 1, 'WITHSCORES'], 'read schedules'));
  const flat = raw.flatMap((item) => (Array.isArray(item) ? item : [item]));
  if (flat.length === 0) return [];
  const ids = flat.filter((_, i) => i % 2 === 0).map(text);
  const [definitions, runs] = await Promise.all([
    connection.command('hmget', [keys.key('schedule'), ...ids], 'read schedules'),
    connection.command('hmget', [keys.key('scheduleRuns'), ...ids], 'read schedules'),
  ]);
  return ids.flatMap((id, i) => {
    const packed = bytes(list(definitions)[i]);
    return packed && !((misread.get(id) ?? 0) > performance.now()) ? [{ id, slot: Number(text(flat[2 * i + 1])), packed, past: bytes(list(runs)[i]) }] : [];
  });
}

async function fire(jobs: JobStore, due: DueSchedule, now: number, strategy: RepeatStrategy | undefined): Promise<void> {
  const definition = readDefinition(due.packed, due.id);
  const { terms, slots: slotsAt, next } = timetableOf(definition, due, strategy);
  const past = readPastRuns(due.past, due.id);
  const count = terms.count + past.count;
  const left = terms.limit === undefined ? Infinity : Math.max(0, terms.limit - count);
  const slots = slotsAt(now).slice(0, Math.min(left, mostRuns));
  // Where a run may be skipped, only the count that Redis keeps tells whether it was the last.
  const isOver = terms.overlap === 'skip' ? left === 0 : left <= slots.length;
  await jobs.connection.run(fireSchedule, jobs.keys, {
    id: due.id,
    definition: due.packed,
    slot: due.slot,
    nextSlot: isOver ? undefined : await next(slots.at(-1) ?? due.slot, now, count + slots.length),
    runs: packRuns(due.id, definition, { slots, now, past: { ...past, count } }),
    overlap: terms.overlap,
    name: definition.name,
  });
}

/** Each run tells by its `repeat.count` the how-manieth it is. */
function packRuns(id: string, definition: ScheduleDefinition, { slots, now, past }: { slots: number[]; now: number; past: PastRuns }): Buffer {
  const packer = new ScriptPacker().array(slots.length);
  const { name, data, opts: { priority = 0 } } = definition;
  const facts = packNewFacts({ priority });
  for (const [i, slot] of slots.entries()) {
    const opts = runOptions(definition, id, past.count + i + 1, past.trace);
    packer.array(4).string(runId(id, slot)).bytes(packRecord(name, data === undefined ? {} : data, Math.round(now), opts)).number(priority);
    if (facts) packer.bytes(facts);
    else packer.string('');
  }
  return packer.take();
}
