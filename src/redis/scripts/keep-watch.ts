import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

export interface KeepWatchCall {
  worker: string;
  /** Names the process: its workers share one seat. */
  process: string;
  forMs: number;
  seats: number;
}

/** Asks for the duty to look often; answers whether the worker has it for the next `forMs`. */
export const keepWatch = defineScript({
  source: lua.keepWatch,
  keys: ['watch'],
  args: (call: KeepWatchCall) => [call.worker, call.process, call.forMs, call.seats],
  reply: (raw) => integer(raw) === 1,
});
