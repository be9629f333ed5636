import { packRecord, packAttempt, packOutcome } from '../../../src/core/job-record.js';
import { pack } from '../../../src/core/codec.js';
import type { Call, Child, Numbered } from '../machine/calls.js';
import type { Columns } from '../machine/columns.js';
import { prefix } from '../machine/turn.js';
import { World } from '../machine/turn.js';
import type { Bytes } from '../wire/message-pack.js';
import type { Dice } from './dice.js';

/** One step of a run: what is called, and when by Redis's clock (µs). `flush` lets Redis forget its scripts first. */
export interface Step {
  micros: number;
  call: Call;
  flush?: boolean;
}

/** What is remembered of a run beyond the state of the queues, to choose the next step by. */
export class Player {
  readonly world = new World(1_700_000_000_000_000);
  readonly steps: Step[] = [];
  /** Every lease that was ever given. */
  readonly leases: { id: string; lease: string }[] = [];
  /** Children that a parent's books expect. */
  readonly planned: { queue: string; parent: string; id: string }[] = [];
  readonly #seqs = new Map<string, number>();
  #ids = 0;
  flushes = false;

  /** Ids ascend with time. */
  newId(kind = 'j'): string {
    return `${kind}${String(++this.#ids).padStart(4, '0')}`;
  }

  /** The next call of a session. */
  next(session: string): Numbered {
    const seq = (this.#seqs.get(session) ?? 0) + 1;
    this.#seqs.set(session, seq);
    return { session, seq };
  }
}

/** What chooses one step: dice over what the run has come to. */
export class Chooser {
  readonly queue: Columns;

  constructor(readonly player: Player, readonly dice: Dice, readonly name: string) {
    this.queue = player.world.queue(name);
  }

  /** The jobs that somebody holds, under leases that somebody gave. */
  held(): { id: string; lease: string }[] {
    return [...this.queue.run].filter(([, lease]) => lease.includes('|')).map(([id, lease]) => ({ id, lease }));
  }

  get nowMs(): number {
    return Math.floor(this.player.world.micros / 1000);
  }

  /** A job of the queue, or now and then an id that nobody has. */
  id(ids: Iterable<string> = this.queue.job.keys()): string {
    const known = this.dice.oneIn(12) ? undefined : this.dice.from([...ids]);
    return known ?? this.dice.from([...this.queue.job.keys()]) ?? 'nobody';
  }

  ids(most: number, ids: Iterable<string> = this.queue.job.keys()): string[] {
    const chosen = this.dice.some([...ids], 1, most);
    if (chosen.length === 0 || this.dice.oneIn(8)) chosen.push('nobody');
    return chosen;
  }

  /** A session for a call that is made once. */
  numbered(): Numbered {
    return this.player.next(`c${this.dice.below(3)}`);
  }

  child(queue: string, id: string): Child {
    return { prefix, queue, id, key: `${prefix}:${queue}:${id}` };
  }

  delayMs(): number {
    return this.dice.of(1, 500, 1000, 1000, 60_000, 3_600_000);
  }

  priority(): number {
    return this.dice.of(0, 0, 0, 1, 1, 2, 2_097_151);
  }
}

const latin = (bytes: Buffer): Bytes => bytes.toString('latin1');

export const recordOf = (name: string, data: unknown): Bytes => latin(packRecord(name, data, 1, undefined));
export const outcomeOf = (value: string): Bytes => latin(packOutcome(value, 5, 'w'));
export const attemptOf = (message: string): Bytes => latin(packAttempt({ worker: 'w', message }));
export const packedOf = (value: unknown): Bytes => latin(pack(value, 'value'));
