/**
 * Errors that a handler throws to say what becomes of its job. Drover knows them by name, so that an error class of
 * another copy of the package, or of BullMQ, means the same.
 */

/** BullMQ's messages of these errors. */
export const UNRECOVERABLE_ERROR = 'bullmq:unrecoverable';
export const DELAYED_ERROR = 'bullmq:movedToDelayed';
export const WAITING_ERROR = 'bullmq:movedToWait';
export const WAITING_CHILDREN_ERROR = 'bullmq:movedToWaitingChildren';
export const RATE_LIMIT_ERROR = 'bullmq:rateLimitExceeded';

/** The job fails for good, whatever attempts it has left. */
export class UnrecoverableError extends Error {
  constructor(message: string = UNRECOVERABLE_ERROR) {
    super(message);
    this.name = 'UnrecoverableError';
  }
}

/** The handler has moved its job to the delayed ones; not an attempt. */
export class DelayedError extends Error {
  constructor(message: string = DELAYED_ERROR) {
    super(message);
    this.name = 'DelayedError';
  }
}

/** The handler has moved its job back to the waiting ones; not an attempt. */
export class WaitingError extends Error {
  constructor(message: string = WAITING_ERROR) {
    super(message);
    this.name = 'WaitingError';
  }
}

/** The handler has moved its job to those that wait for children; not an attempt. */
export class WaitingChildrenError extends Error {
  constructor(message: string = WAITING_CHILDREN_ERROR) {
    super(message);
    this.name = 'WaitingChildrenError';
  }
}

/** The queue is limited from outside (`queue.rateLimit(ms)`): the job goes back to the front; not an attempt. */
export class RateLimitError extends Error {
  constructor(message: string = RATE_LIMIT_ERROR) {
    super(message);
    this.name = 'RateLimitError';
  }
}

export type ControlSignal = 'unrecoverable' | 'delayed' | 'waiting' | 'waiting-children' | 'rate-limit';

const signals = new Map<string, ControlSignal>([
  ['UnrecoverableError', 'unrecoverable'],
  // The data will not change by trying again.
  ['SchemaMismatchError', 'unrecoverable'],
  ['DelayedError', 'delayed'],
  ['WaitingError', 'waiting'],
  ['WaitingChildrenError', 'waiting-children'],
  ['RateLimitError', 'rate-limit'],
]);

/** What a thrown value asks for beyond failing, if anything. Subclasses count. */
export function controlSignal(error: unknown): ControlSignal | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === RATE_LIMIT_ERROR) return 'rate-limit';
  for (let proto: unknown = error; proto instanceof Error; proto = Object.getPrototypeOf(proto)) {
    const signal = signals.get(proto.name) ?? signals.get(proto.constructor.name);
    if (signal) return signal;
  }
  return undefined;
}
