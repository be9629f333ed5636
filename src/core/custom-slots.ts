import type { ScheduleOptions, ScheduleTerms } from './cron.js';
import { InvalidInputError } from './errors.js';
import { shown } from './nearest.js';
import { LAST_SLOT_MS } from './schedule-slots.js';
import type { RepeatOptions, RepeatStrategy } from './strategies.js';

/** What a strategy is asked. */
export interface StrategyQuestion {
  terms: ScheduleTerms;
  repeat: ScheduleOptions;
  /** The name of the runs. */
  name: string;
  /** The slot has to come after it, unless it is the first: then the strategy may also say that it is due already. */
  after: number;
  isFirst: boolean;
}

/**
 * The slot after `after` by a user's strategy, within the schedule's start and end (both inclusive).
 *
 * @returns undefined when the strategy answers that there is none, or one past the end.
 * @throws InvalidInputError `INVALID_SCHEDULE` when it answers no time, or one that is past; and whatever it throws.
 */
export async function customSlot(strategy: RepeatStrategy, { terms, repeat, name, after, isFirst }: StrategyQuestion): Promise<number | undefined> {
  const { startAt = 0, endAt = LAST_SLOT_MS } = terms;
  const answer: unknown = await strategy(Math.max(after, startAt), repeat as RepeatOptions, name);
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== 'number' || !Number.isFinite(answer) || answer < 0) throw wrong(`answered ${shown(answer)}, which is no time in ms`);
  const slot = Math.max(Math.ceil(answer), startAt);
  if (!isFirst && slot <= after) throw wrong('answered a time that is not after the one it was given');
  return slot <= Math.min(endAt, LAST_SLOT_MS) ? slot : undefined;
}

function wrong(what: string): InvalidInputError {
  return new InvalidInputError('INVALID_SCHEDULE', {
    field: 'settings.repeatStrategy', message: `settings.repeatStrategy ${what}.`, hint: 'Let it answer a number of milliseconds since 1970, or undefined for no more runs.',
  });
}
