import type { ScheduleOptions } from './cron.js';

/** How jobs repeat: {@link ScheduleOptions} with what BullMQ's own calls add. */
export type RepeatOptions = Omit<ScheduleOptions, 'offset'> & { offset?: number; prevMillis?: number; jobId?: string };

/**
 * Says when a schedule with a `pattern` runs next, in place of the cron dialect: a time in ms after `millis`, or undefined
 * when there is none. `millis` is now, or the run before or the start if that is later; `opts` are the schedule's, with
 * `count` once it has run; `name` is that of its runs. Intervals (`every`) have no need of one.
 */
export type RepeatStrategy = (millis: number, opts: RepeatOptions, name?: string) => number | undefined | Promise<number | undefined>;

export interface AdvancedRepeatOptions {
  /** To be given to the queue and to every worker of it: who has it computes the next time. Default: cron patterns. */
  repeatStrategy?: RepeatStrategy;
  /** Accepted for BullMQ's sake: schedules have ids. */
  repeatKeyHashAlgorithm?: string;
}
