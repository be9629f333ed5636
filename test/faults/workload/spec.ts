import type { ConnectionOptions } from '../../../src/index.js';

/** What a process of the workload is told, as JSON in its first argument. */
export interface Spec {
  /** Where its history goes. */
  readonly folder: string;
  /** Names the process in histories. */
  readonly name: string;
  readonly queue: string;
  /** Plain data: it travels as JSON. */
  readonly connection: Exclude<ConnectionOptions, object> | Record<string, unknown>;
  readonly leaseMs: number;
}

/** Names of queues beside the one that most is about, made from its name. */
export const childrenOf = (queue: string): string => `${queue}-children`;
export const limitedOf = (queue: string): string => `${queue}-limited`;
/** The queue whose jobs are run by the processes that add them as well. */
export const nearOf = (queue: string): string => `${queue}-near`;

/** What holds for the limited queue: at most so many jobs at once, and so many starts in any window. */
export const limits = { concurrency: 3, max: 20, durationMs: 500 } as const;

/** The schedule of the workload: each of its slots is to run once. */
export const schedule = { id: 'tick', everyMs: 500 } as const;

export interface ProducerSpec extends Spec {
  /** Whether flows are added: where what was acknowledged may be lost, their parents would wait for minutes. */
  readonly flows: boolean;
  readonly seed: string;
  /** How many jobs it tries to add a second. */
  readonly jobsPerS: number;
  /** It stops adding after so many jobs. */
  readonly most: number;
}

export interface WorkerSpec extends Spec {
  readonly concurrency: number;
}

/** The data of each job. The tag is unique, however often and under whatever id the job is added. */
export interface JobData {
  readonly tag: string;
  /** How long its handler works. */
  readonly ms: number;
  /** How many attempts go wrong. */
  readonly fails: number;
  /** How many children a parent has. */
  readonly children?: number;
}

/** What a producer says of a call: a tag per job, and what the oracle has to know beyond that. */
export interface Ask {
  readonly tags: readonly string[];
  /** Per job: 1 when it goes to the end of priority 0 and has no id of its own, so that it is handed out in its turn. */
  readonly plain?: readonly number[];
  /** The deduplication id that all jobs of the call have. */
  readonly dedup?: string;
  /** The first tag is the parent of the others. */
  readonly flow?: boolean;
}

export function readSpec<T extends Spec>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

export function connectionOf(spec: Spec): ConnectionOptions {
  return spec.connection;
}

/** A job may lose its worker this often: each time has to be explained by a fault, but none of them kills it. */
export const mostStalls = 1_000;
