import { setTimeout as pause } from 'node:timers/promises';
import type { HistoryWriter, Json } from './history.js';
import { Random } from './random.js';

/** One kind of fault. */
export interface Fault {
  readonly kind: string;
  /** Why it cannot be done here, or undefined. Default: it can. */
  unavailable?(): Promise<string | undefined> | string | undefined;
  /** Does it; whatever it chooses comes from `random`. Resolves when the fault is in effect. */
  inject(random: Random): Promise<Injection>;
}

/** A fault in effect. */
export interface Injection {
  /** What was chosen, for the log. */
  readonly detail?: Json;
  /** Ends the fault; resolves when it is over. May be called again after it has thrown. */
  heal(): Promise<void> | void;
}

/** A range in milliseconds, both ends included. */
export type RangeMs = readonly [least: number, most: number];

export interface NemesisOptions {
  readonly seed: number | bigint;
  readonly faults: readonly { readonly fault: Fault; readonly weight?: number }[];
  /** No fault begins after this time. */
  readonly durationMs: number;
  /** No more faults than this. Default: no bound. */
  readonly most?: number;
  /** How long a fault is left in effect. Default 200 to 2,000 ms. */
  readonly holdMs?: RangeMs;
  /** How long everything is left in peace between two faults. Default 100 to 1,000 ms. */
  readonly gapMs?: RangeMs;
  /** Gets a record at the start and the end of each fault. */
  readonly history?: HistoryWriter;
  /** Ends the run early; the fault in effect is healed first. */
  readonly signal?: AbortSignal;
  /** Called once at the very end, whatever happened. */
  readonly healAll?: () => Promise<void> | void;
  /** How time passes. Default: really. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** What was done: in effect at most from `at` until `until`, in nanoseconds of CLOCK_MONOTONIC as in the history. */
export interface FaultRecord {
  readonly kind: string;
  readonly at: bigint;
  readonly until: bigint;
  readonly detail?: Json;
  /** Why the fault was not done, or not ended at once. */
  readonly error?: string;
}

export interface NemesisReport {
  readonly seed: bigint;
  readonly records: readonly FaultRecord[];
  readonly skipped: readonly { readonly kind: string; readonly reason: string }[];
}

/** One fault of a plan. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly gapMs: number;
  readonly holdMs: number;
  /** From here the fault draws what it chooses. */
  readonly random: Random;
}

/** Something is still broken after the run. */
export class NotHealedError extends Error {
  override readonly name = 'NotHealedError';
}

/** The faults in the order in which they will come: endless, and a function of the seed and the kinds alone. */
export function* planFaults(options: Pick<NemesisOptions, 'seed' | 'faults' | 'holdMs' | 'gapMs'>): Generator<PlannedFault> {
  const { faults, holdMs = [200, 2_000], gapMs = [100, 1_000] } = options;
  const random = new Random(options.seed).fork('nemesis');
  for (let number = 0; faults.length > 0; number += 1) {
    const { fault } = random.pickWeighted(faults, ({ weight = 1 }) => weight);
    const times = { gapMs: random.integer(...gapMs), holdMs: random.integer(...holdMs) };
    yield { fault, ...times, random: random.fork(`fault ${number}`) };
  }
}

/**
 * Does one fault after the other until the time is up, and leaves everything healed.
 *
 * @throws NotHealedError if that was not possible.
 */
export async function runNemesis(options: NemesisOptions): Promise<NemesisReport> {
  const { durationMs, most = Infinity, wait = reallyWait, signal } = options;
  const { available, skipped } = await sortOut(options.faults);
  const records: FaultRecord[] = [];
  const deadline = performance.now() + durationMs;
  const failures: unknown[] = [];
  const over = (): boolean => performance.now() >= deadline || records.length >= most || signal?.aborted === true;
  for (const planned of planFaults({ ...options, faults: available })) {
    if (over()) break;
    await wait(planned.gapMs, signal);
    if (over()) break;
    records.push(await strike(planned, { ...options, wait }, failures));
  }
  await Promise.resolve(options.healAll?.()).catch((error: unknown) => failures.push(error));
  const report = { seed: BigInt(options.seed), records, skipped };
  if (failures.length > 0) throw new NotHealedError(`seed ${report.seed}: not healed`, { cause: failures });
  return report;
}

async function strike(
  { fault, holdMs, random }: PlannedFault,
  { wait, signal, history }: Pick<NemesisOptions, 'history' | 'signal'> & Required<Pick<NemesisOptions, 'wait'>>,
  failures: unknown[],
): Promise<FaultRecord> {
  const { kind } = fault;
  const at = process.hrtime.bigint();
  history?.append({ type: 'fault', value: { kind, phase: 'start' } });
  const { detail, error } = await injectAndHeal(fault, random, () => wait(holdMs, signal), failures);
  const extra = { ...(detail === undefined ? {} : { detail }), ...(error === undefined ? {} : { error }) };
  history?.append({ type: 'fault', value: { kind, phase: 'end', ...extra } });
  return { kind, at, until: process.hrtime.bigint(), ...extra };
}

async function injectAndHeal(
  fault: Fault,
  random: Random,
  hold: () => Promise<void>,
  failures: unknown[],
): Promise<{ detail?: Json; error?: string }> {
  try {
    const injection = await fault.inject(random);
    try {
      await hold();
    } finally {
      await healStubbornly(injection).catch((error: unknown) => failures.push(error));
    }
    return injection.detail === undefined ? {} : { detail: injection.detail };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Another fault's aftermath may stand in the way of healing this one. */
async function healStubbornly(injection: Injection, triesLeft = 3): Promise<void> {
  try {
    await injection.heal();
  } catch (error) {
    if (triesLeft === 1) throw error;
    await healStubbornly(injection, triesLeft - 1);
  }
}

async function sortOut(faults: NemesisOptions['faults']): Promise<{
  available: NemesisOptions['faults'];
  skipped: { kind: string; reason: string }[];
}> {
  const reasons = await Promise.all(faults.map(async ({ fault }) => fault.unavailable?.()));
  const available = faults.filter((_, index) => reasons[index] === undefined);
  const skipped = faults.flatMap(({ fault: { kind } }, index) => {
    const reason = reasons[index];
    return reason === undefined ? [] : [{ kind, reason }];
  });
  return { available, skipped };
}

async function reallyWait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}
