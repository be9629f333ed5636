import { lua } from '../lua.generated.js';
import { defineScript } from '../script.js';

export interface PublishEventsCall {
  session: string;
  seq: number;
  count: number;
  /** Packed [name, args], one after the other. */
  custom: Buffer;
  /** About how many events the stream keeps; undefined for the queue's own setting. */
  maxEvents: number | undefined;
}

/** Writes custom events into the stream. */
export const publishEvents = defineScript({
  source: lua.publishEvents,
  keys: ['meta', 'sessions', 'events'],
  args: (call: PublishEventsCall) => [call.session, call.seq, call.count, call.custom, call.maxEvents ?? ''],
  reply: () => undefined,
});
