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

export interface ProducerSpec extends Spec {
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
}

export function readSpec<T extends Spec>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

export function connectionOf(spec: Spec): ConnectionOptions {
  return spec.connection;
}

/** A job may lose its worker this often: each time has to be explained by a fault, but none of them kills it. */
export const mostStalls = 1_000;
