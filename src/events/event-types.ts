import type { JobProgress } from '../queue/job.js';

/** What each event of a queue says. Names and fields are BullMQ's. */
export interface EventArgs<ResultType = unknown> {
  /** A job was created. */
  added: { jobId: string; name: string };
  /** A job can be taken. `prev` is the state it comes from, unless it is new. */
  waiting: { jobId: string; prev?: string };
  /** A job waits for its time: `delay` is when it is due, in ms since 1970 by Redis's clock. */
  delayed: { jobId: string; delay: number };
  /** A worker has taken a job. */
  active: { jobId: string; prev: string };
  /** A job ended well; `returnvalue` is what its handler returned, as it was. */
  completed: { jobId: string; returnvalue: ResultType; prev: string };
  /** A job ended badly, and for good. */
  failed: { jobId: string; failedReason: string; prev: string };
  /** A job failed because it has no attempts left. */
  'retries-exhausted': { jobId: string; attemptsMade: string };
  /** A handler reported progress. */
  progress: { jobId: string; data: JobProgress };
  /** The worker of a job stopped renewing its lease. */
  stalled: { jobId: string };
  /** A job waits for its children. `prev` is the state it comes from, unless it is new. */
  'waiting-children': { jobId: string; prev?: string };
  /** A job was removed by someone. */
  removed: { jobId: string; prev?: string };
  /** `add` found a job of this id. */
  duplicated: { jobId: string };
  /** `add` found the job `jobId` in place of the new `deduplicatedJobId`. */
  deduplicated: { jobId: string; deduplicationId: string; deduplicatedJobId: string };
  /** `clean` removed so many jobs; a text, as in BullMQ. */
  cleaned: { count: string };
  paused: Record<string, never>;
  resumed: Record<string, never>;
  /** The last waiting job is done. Listeners get the id of the event only. */
  drained: Record<string, never>;
}

export type EventName = keyof EventArgs;

/** One event of the stream. */
export type QueueEvent = { [E in EventName]: { event: E; args: EventArgs[E]; custom?: undefined } }[EventName];

/** An event that a QueueEventsProducer published, or one of a newer version of Drover. */
export interface OtherEvent {
  event: string;
  args: Record<string, unknown>;
  custom: true;
}

/**
 * Events may have been missed: the stream was trimmed past the last one read (`trimmed`), or it holds less than has
 * been read already, after a failover that lost writes or because it was deleted (`rewound`).
 */
export interface Gap {
  /** The last event that was read before the gap. */
  lastEventId: string;
  reason: 'trimmed' | 'rewound';
}

/**
 * The listeners of a QueueEvents. `id` is the position in the stream, for `lastEventId`: for the last event of a script
 * call that of their entry, `<ms>-<n>`; the ones before it have their number behind, `<ms>-<n>.<k>`.
 */
export type QueueEventsListener<ResultType = any> = { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's default
  [E in Exclude<EventName, 'drained'>]: (args: EventArgs<ResultType>[E], id: string) => void;
} & {
  /** The events of one job, e.g. `completed:42`. */
  [E in `completed:${string}`]: (args: EventArgs<ResultType>['completed'], id: string) => void;
} & {
  [E in `failed:${string}`]: (args: EventArgs['failed'], id: string) => void;
} & {
  [E in `progress:${string}`]: (args: EventArgs['progress'], id: string) => void;
} & {
  drained: (id: string) => void;
  gap: (gap: Gap) => void;
  /** Redis failed, an entry of the stream could not be read, or a listener threw. */
  error: (error: Error) => void;
  'ioredis:close': () => void;
};
