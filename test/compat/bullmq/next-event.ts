import type { EventEmitter } from 'node:events';

/** The arguments of the next event of this name. */
export function nextEvent(emitter: Pick<EventEmitter, 'once'>, event: string): Promise<unknown[]> {
  return new Promise((resolve) => (emitter as EventEmitter).once(event, (...args: unknown[]) => resolve(args)));
}
