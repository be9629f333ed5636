import { StateError } from '../core/errors.js';
import type { QueueBaseOptions } from './queue-base.js';

/** How long to wait, and what ends the wait. */
export interface WaitOptions {
  /** Give up after so many milliseconds, with a TimeoutError. Default: never. */
  timeoutMs?: number | undefined;
  /** Give up when it fires, with its reason. */
  signal?: AbortSignal | undefined;
}

/** What `add` says of a job. */
export interface AddedJob {
  id: string;
  /** True when the job stood there already. */
  deduplicated: boolean;
}

/** What can tell how jobs of one queue end: QueueEvents. */
export interface FinishWaiter {
  /** `<prefix>:<name>` of its queue. */
  readonly qualifiedName: string;
  /** Resolves with the job's result, rejects with the reason of its failure. */
  waitFor(jobId: string, opts?: WaitOptions): Promise<unknown>;
  /** The same for a job that `add` adds; its end is not missed, however soon it comes. */
  waitForAdded(add: () => Promise<AddedJob>, opts?: WaitOptions): Promise<unknown>;
  close(): Promise<void>;
}

/** How `addAndWait` waits. */
export interface AddAndWaitOptions {
  /** Give up after so many milliseconds, with a TimeoutError; the job stays. Default: never. */
  timeout?: number;
  /** Give up when it fires, with its reason; the job stays. */
  signal?: AbortSignal;
  /** What tells how the job ended. Default: a reader that the queue opens at the first call and closes with itself. */
  queueEvents?: FinishWaiter;
}

type OpenFinishWaiter = (name: string, opts: QueueBaseOptions, failed: (error: Error) => void) => FinishWaiter;

let open: OpenFinishWaiter | undefined;

/** How queues come by an events reader of their own: `events` lies above `queue`, so it registers itself here. */
export function provideFinishWaiter(opener: OpenFinishWaiter): void {
  open = opener;
}

/** Opens an events reader for a queue. */
export function openFinishWaiter(name: string, opts: QueueBaseOptions, failed: (error: Error) => void): FinishWaiter {
  if (!open) {
    throw new StateError('INTERNAL', {
      field: 'queueEvents', message: 'QueueEvents is not loaded.', hint: 'Import QueueEvents from the package, or pass `queueEvents`.',
    });
  }
  return open(name, opts, failed);
}
