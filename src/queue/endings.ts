import { computeBackoff, type BackoffOptions, type BackoffStrategy } from '../core/backoff.js';
import { controlSignal } from '../core/control-errors.js';
import { checkSize } from '../core/job-options.js';
import { packAttempt, packOutcome } from '../core/job-record.js';
import { retentionRule, type RetentionRule } from '../core/retention.js';
import type { ScriptPacker } from '../core/script-packer.js';
import { asError } from './as-error.js';
import type { Job } from './job.js';
import { Ending } from '../redis/scripts/settle.js';
import { nothing } from './pack-ended.js';

/** How a job ends, as the settle script takes it. */
export interface EndingOf {
  readonly ending: number;
  readonly payload: Buffer | string | ((packer: ScriptPacker) => void);
  /** How many finished jobs of its kind its rule of retention keeps, -1 for all; undefined when it says nothing of them. */
  readonly keep?: number | undefined;
  /** How large its outcome is, where that counts. */
  readonly bytes?: number | undefined;
  /** When a failed attempt is retried, in ms from now. */
  readonly retryInMs?: number | undefined;
}

/** No result is larger. Redis takes less than 512 MiB in one value, and a call that it can never take would be repeated for ever. */
const mostResultBytes = 1 << 26;
/** From this size on, a result counts towards what one call may carry. */
const largeResultBytes = 1 << 16;

/** What the worker knows when a job ends. */
export interface EndingTerms {
  worker: string;
  completed: RetentionRule;
  failed: RetentionRule;
  maxStartedAttempts: number;
  strategy: BackoffStrategy<Job> | undefined;
  /** Hears of jobs that are to be forgotten after a time of their own, in ms. */
  noteAge: (ageMs: number) => void;
}

/** The job went well. Throws INVALID_DATA or PAYLOAD_TOO_LARGE when the result cannot be stored. */
export function completion(job: Job, result: unknown, terms: EndingTerms): EndingOf {
  const rule = job.opts.removeOnComplete === undefined ? terms.completed : retentionRule(job.opts.removeOnComplete, terms.completed.ageMs);
  if (rule.retention.kind === 'forget' && result === undefined) return { ending: Ending.forgotten, payload: nothing };
  const outcome = packOutcome(result, job.processedOn ?? 0, terms.worker);
  if (outcome.length < largeResultBytes) return kept(outcome, rule, terms);
  checkSize(outcome.length, mostResultBytes, 'returnvalue');
  return { ...kept(outcome, rule, terms), bytes: outcome.length };
}

function kept(outcome: Buffer, { retention, count }: RetentionRule, terms: EndingTerms): EndingOf {
  if (retention.kind === 'forget') return { ending: Ending.forgotten, payload: outcome };
  if (retention.kind === 'keepFor') terms.noteAge(retention.ageMs);
  if (retention.kind === 'keep') return { ending: Ending.kept, payload: outcome, keep: count };
  return { ending: Ending.keptFor, keep: count, payload: (packer) => void packer.array(2).bytes(outcome).number(retention.ageMs) };
}

/** Whether a failed attempt was the last. `reason` is set when something other than the count of attempts decided. */
interface Verdict {
  dead: boolean;
  delayMs: number;
}

async function judge(job: Job, error: Error, attemptsMade: number, terms: EndingTerms): Promise<Verdict> {
  const exhausted = attemptsMade >= (job.opts.attempts ?? 1) || job.attemptsStarted > terms.maxStartedAttempts;
  if (exhausted || controlSignal(error) === 'unrecoverable') return { dead: true, delayMs: 0 };
  const decision = await computeBackoff({
    options: job.opts.backoff as BackoffOptions | undefined, attemptsMade, strategy: terms.strategy, error, job,
  });
  return decision.retry ? { dead: false, delayMs: decision.delayMs } : { dead: true, delayMs: 0 };
}

/** What a dead letter takes along. */
export interface DeathRecord {
  attemptsMade: number;
  attempt: Buffer;
  outcome: Buffer;
}

/** How a failed attempt ends; `death` when it was the last. */
export type FailedEnding = EndingOf & {
  death: DeathRecord | undefined;
};

/** An attempt went wrong: the job is retried later, or is dead. */
export async function failure(job: Job, error: Error, terms: EndingTerms): Promise<FailedEnding> {
  const attemptsMade = job.attemptsMade + 1;
  const { verdict, because } = await judgeSafely(job, error, attemptsMade, terms);
  const attempt = packAttempt({
    worker: terms.worker, message: shortened(because.message), name: because.name, stack: shortened(because.stack ?? ''),
  });
  if (!verdict.dead) {
    return {
      death: undefined,
      retryInMs: verdict.delayMs,
      ending: Ending.retried,
      payload: (packer) => void packer.array(4).number(verdict.delayMs).number(attemptsMade).bytes(attempt).flag(job.opts.lifo),
    };
  }
  const outcome = packOutcome(shortened(because.message), job.processedOn ?? 0, terms.worker, 'error');
  const rule = job.opts.removeOnFail === undefined ? terms.failed : retentionRule(job.opts.removeOnFail, terms.failed.ageMs);
  if (rule.retention.kind === 'keepFor') terms.noteAge(rule.retention.ageMs);
  return {
    death: { attemptsMade, attempt, outcome },
    ending: Ending.failed,
    keep: rule.retention.kind === 'forget' ? undefined : rule.count,
    payload: (packer) => {
      ageOf(rule, packer.array(5).bytes(outcome).number(attemptsMade).bytes(attempt));
      packer.flag(attemptsMade >= (job.opts.attempts ?? 1));
    },
  };
}

/** A backoff strategy that throws is the user's fault, and the job's end: retrying for ever would hide it. */
async function judgeSafely(job: Job, error: Error, attemptsMade: number, terms: EndingTerms): Promise<{ verdict: Verdict; because: Error }> {
  try {
    return { verdict: await judge(job, error, attemptsMade, terms), because: error };
  } catch (thrown) {
    return { verdict: { dead: true, delayMs: 0 }, because: asError(thrown) };
  }
}

function ageOf(rule: RetentionRule, packer: ScriptPacker): void {
  if (rule.retention.kind === 'forget') packer.number(0);
  else if (rule.retention.kind === 'keepFor') packer.number(rule.retention.ageMs);
  else packer.nil();
}

/** The job was not begun, or was interrupted through no fault of its own: not an attempt. */
export const givenBack: EndingOf = { ending: Ending.givenBack, payload: '' };

/** The handler asked for a later time (ms), or with -1 for the front of the queue: not an attempt. */
export function postponed(dueAt: number): EndingOf {
  return { ending: Ending.delayed, payload: (packer) => void packer.array(1).number(dueAt) };
}

/** Error texts are kept whole up to 16 KiB. */
function shortened(text: string): string {
  return text.length <= 16_384 ? text : `${text.slice(0, 16_384)}…`;
}

