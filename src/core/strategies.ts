import type { ScheduleOptions } from './cron.js';

/** How jobs repeat: {@link ScheduleOptions} with what BullMQ's own calls add. */
export type RepeatOptions = Omit<ScheduleOptions, 'offset'> & { offset?: number; prevMillis?: number; jobId?: string };

/** BullMQ's way to plug in other schedules. Accepted and not called: patterns, zones and overlap are options here. */
export type RepeatStrategy = (millis: number, opts: RepeatOptions, name?: string) => number | undefined | Promise<number | undefined>;

export interface AdvancedRepeatOptions {
  repeatStrategy?: RepeatStrategy;
  repeatKeyHashAlgorithm?: string;
}
