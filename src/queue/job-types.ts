import type { Job, JobProgress } from './job.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- the defaults that BullMQ's users know: an untyped queue takes anything */

/** Jobs by name: what data each takes and what its handler returns. */
export type JobMap = Record<string, { data: any; result?: any }>;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** True for a map of jobs by name: an object type whose every property has `data`. */
export type IsJobMap<T> = IsAny<T> extends true ? false : [T] extends [readonly unknown[]] ? false : [T] extends [object]
  ? ([T] extends [{ [Name in keyof T]: { data: any } }] ? (keyof T extends never ? false : true) : false) : false;

/** The names that a queue of these types takes. */
export type NameOf<Jobs, Name extends string> = IsJobMap<Jobs> extends true ? keyof Jobs & string : Name;

/** The data of the jobs of a name. `Jobs` is a map by name, a Job type, or the data itself. */
export type DataOf<Jobs, Name extends string> = IsAny<Jobs> extends true ? any
  : IsJobMap<Jobs> extends true ? (Name extends keyof Jobs ? (Jobs[Name] extends { data: infer Data } ? Data : never) : never)
    : Jobs extends Job<infer Data, any, any> ? Data : Jobs;

/** What the handler of the jobs of a name returns. */
export type ResultOf<Jobs, Result, Name extends string> = IsAny<Jobs> extends true ? Result
  : IsJobMap<Jobs> extends true ? (Name extends keyof Jobs ? (Jobs[Name] extends { result: infer Known } ? Known : any) : never)
    : Jobs extends Job<any, infer Known, any> ? Known : Result;

/** A job of one name. */
export type JobOf<Jobs, Result, Name extends string, Progress extends JobProgress = JobProgress> = Job<DataOf<Jobs, Name>, ResultOf<Jobs, Result, Name>, Name, Progress>;

/** A job of any of the queue's names: a union that `job.name` narrows. */
export type AnyJobOf<Jobs, Result, Name extends string, Progress extends JobProgress = JobProgress> =
  { [Each in NameOf<Jobs, Name>]: JobOf<Jobs, Result, Each, Progress> }[NameOf<Jobs, Name>];
