import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

export interface AppendLogCall {
  id: string;
  /** The packed row; undefined only trims. */
  row: Buffer | undefined;
  /** How many rows to keep, -1 for all. */
  keep: number;
}

/** Adds a row to the log of a job; answers how many rows there are, or -1 when there is no such job. */
export const appendLog = defineScript({
  source: lua.appendLog,
  keys: ['job', 'logs', 'sessions'],
  once: (call: AppendLogCall) => call.row !== undefined,
  args: (call: AppendLogCall) => [call.id, call.row ?? '', call.keep],
  reply: (raw) => integer(raw),
});
