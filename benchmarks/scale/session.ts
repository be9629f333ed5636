import type { Probe } from '../measure.js';
import { emails, type NewJob } from '../payload.js';
import type { Peer, PeerQueue } from '../peers/peer.js';
import { Round } from '../round.js';
import type { ScriptClock } from './script-clock.js';

export interface Session {
  readonly peer: Peer;
  readonly probe: Probe;
  readonly url: string;
  readonly scripts: ScriptClock;
  readonly sample: number;
  readonly rounds: number;
  readonly print: (text: string) => void;
}

const limitMs = 20 * 60_000;
const fillSize = 1_000;

/** Runs `work` on an empty database and closes everything it opened. A failure is printed, and the next figure measured. */
export async function onEmptyDatabase<Result>(session: Session, work: (round: Round) => Promise<Result>): Promise<Result | undefined> {
  try {
    return await new Round(session.peer, session.probe, session.url).run(limitMs, work);
  } catch (error) {
    session.print(`  error: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Fills the queue without ever holding more than one batch in memory. */
export async function fillTo(queue: PeerQueue, jobs: number, options?: (index: number) => Omit<NewJob, 'data'>): Promise<void> {
  for (let added = 0; added < jobs; added += fillSize) {
    await queue.addBulk(emails(Math.min(fillSize, jobs - added), options));
  }
}

export const perSecond = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;
