import type { Packed } from '../wire/message-pack.js';
import type { Numbered } from './calls.js';
import type { Turn } from './turn.js';

/** What a call of a session is answered before it does anything: that it is late, or what it was answered before. */
export type Earlier = { kind: 'new' } | { kind: 'stale' } | { kind: 'repeat'; stored: Packed };

export const stale = { error: 'STALE' } as const;

export function earlierCall({ queue }: Turn, { session, seq }: Numbered): Earlier {
  const last = queue.sessions.get(session);
  if (last === undefined || typeof last === 'string' || last.seq < seq) return { kind: 'new' };
  return last.seq > seq ? { kind: 'stale' } : { kind: 'repeat', stored: last.reply };
}

/** Keeps what a call was answered. */
export function settled(turn: Turn, { session, seq }: Numbered, stored: Packed): void {
  turn.queue.sessions.set(session, { seq, at: turn.now, reply: stored });
}

/** Does a call of a session once, and answers its repeats the same. Without a session it is done anew each time. */
export function once<Reply>(turn: Turn, call: Numbered, act: () => { reply: Reply; stored: Packed } | { unsettled: Reply }): unknown {
  if (call.session === '') {
    const done = act();
    return 'unsettled' in done ? done.unsettled : done.reply;
  }
  const earlier = earlierCall(turn, call);
  if (earlier.kind === 'stale') return stale;
  const place = `${call.session}:${call.seq}`;
  if (earlier.kind === 'repeat') return turn.world.told.get(place);
  const done = act();
  if ('unsettled' in done) return done.unsettled;
  settled(turn, call, done.stored);
  turn.world.told.set(place, structuredClone(done.reply));
  return done.reply;
}
