import { Ending } from '../redis/scripts/settle.js';
import type { CountedState } from '../telemetry/job-meter.js';

/** What telemetry calls an end: the span that is told of it, and the state that is counted. */
export interface ToldEnding {
  operation: 'complete' | 'fail' | 'retry' | 'delay' | undefined;
  state: CountedState | undefined;
}

const completed: ToldEnding = { operation: 'complete', state: 'completed' };

/** Named as BullMQ does. A job that is given back because its worker stops is nothing that became of it. */
export function becomes({ ending, retryInMs = 0 }: { ending: number; retryInMs?: number | undefined }): ToldEnding {
  switch (ending) {
    case Ending.forgotten:
    case Ending.kept:
    case Ending.keptFor: return completed;
    case Ending.failed: return { operation: 'fail', state: 'failed' };
    case Ending.retried: return retryInMs > 0 ? { operation: 'delay', state: 'delayed' } : { operation: 'retry', state: 'retried' };
    case Ending.delayed: return { operation: undefined, state: 'waiting' };
    default: return { operation: undefined, state: undefined };
  }
}
