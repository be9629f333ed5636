import type { Cluster, Redis } from 'ioredis';
import { decodeEntry, type DecodedEvent } from '../../../src/events/decode.js';
import type { Violations } from './violations.js';

/** Every job's life as Redis itself tells it. */
export interface Life {
  state: 'waiting' | 'delayed' | 'active' | 'waiting-children' | 'completed' | 'failed' | 'removed';
  /** How often it was handed out. */
  takes: number;
  /** How often its lease was taken away from a worker that had begun. */
  stalls: number;
  /** How often it ended for good. */
  ends: number;
  /** When it was last handed out, by Redis's clock, and the time before. */
  takenAt: number;
  takenBefore: number;
  /** Where in the order of all events it was added, first handed out, and ended; 0: not yet. */
  added: number;
  taken: number;
  ended: number;
  /** When it was taken away from a worker, by Redis's clock; absent where that never happened. */
  freedAt?: number[];
}

const pageSize = 500;
const leavesActive = new Set(['waiting', 'waiting-children', 'delayed', 'active', 'completed', 'failed', 'removed']);

/**
 * Follows the event stream of a queue past all faults and checks each job's path: it is added once, handed out only
 * when nobody holds it (I3), ended only by the lease that was handed out last (I4), and ends once.
 */
export class Tape {
  readonly lives = new Map<string, Life>();
  /** Told by duplicate adds, for the figures. */
  duplicates = 0;
  readonly #client: Redis | Cluster;
  readonly #stream: string;
  /** How many jobs may be active at once. */
  readonly #concurrency: number;
  #active = 0;
  #events = 0;
  readonly #violations: Violations;
  /** Off where clocks are stepped or a failover may lose what was acknowledged. */
  readonly #strict: boolean;
  #last = '0-0';
  #over = 0;
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { client: Redis | Cluster; stream: string; violations: Violations; strict: boolean; concurrency?: number }) {
    this.#concurrency = options.concurrency ?? Infinity;
    this.#client = options.client;
    this.#stream = options.stream;
    this.#violations = options.violations;
    this.#strict = options.strict;
  }

  /** How many jobs were added and have not ended. */
  get open(): number {
    return this.lives.size - this.#over;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#read().catch(() => undefined), 250);
  }

  /** Reads what is left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading?.catch(() => undefined);
    await this.#read();
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const entries = await this.#client.xrangeBuffer(this.#stream, `(${this.#last}`, '+', 'COUNT', pageSize);
      for (const [id, fields] of entries) {
        this.#last = id.toString();
        const at = Number(this.#last.slice(0, this.#last.indexOf('-')));
        for (const event of decodeEntry({ id: this.#last, fields })) this.#note(event, at);
      }
      // What has been read is not needed any more, and a long run would fill the memory with it.
      if (entries.length > 0) await this.#client.xtrim(this.#stream, 'MINID', this.#last);
      if (entries.length < pageSize) return;
    }
  }

  #note({ event, args }: DecodedEvent, at: number): void {
    this.#events += 1;
    const id = (args as { jobId?: string }).jobId;
    if (event === 'duplicated') this.duplicates += 1;
    if (id === undefined || event === 'duplicated' || event === 'deduplicated') return;
    const life = this.lives.get(id);
    if (event === 'added') return this.#added(id, life);
    if (!life) return this.#complain('I7', `${event} of ${id}, which was never added`);
    // Whatever happens to an active job now, it is not active any more; unless it is handed out (twice, then).
    if (life.state === 'active' && leavesActive.has(event)) this.#active -= 1;
    switch (event) {
      case 'waiting-children': life.state = 'waiting-children'; return;
      case 'waiting': return this.#waiting(id, life, (args as { prev?: string }).prev, at);
      case 'delayed': life.state = 'delayed'; return;
      case 'active': return this.#taken(id, life, at);
      case 'stalled': life.stalls += 1; return;
      case 'completed': return this.#ended(id, life, 'completed', (args as { returnvalue?: { epoch?: number } | null }).returnvalue?.epoch);
      case 'failed': return this.#ended(id, life, 'failed', undefined);
      case 'removed': life.state = 'removed'; return;
      default: return;
    }
  }

  #added(id: string, life: Life | undefined): void {
    if (life) this.#complain('I2', `${id} was added again while it was ${life.state}`);
    else this.lives.set(id, { state: 'waiting', takes: 0, stalls: 0, ends: 0, takenAt: 0, takenBefore: 0, added: this.#events, taken: 0, ended: 0 });
  }

  #waiting(id: string, life: Life, prev: string | undefined, at: number): void {
    if (prev === 'active') (life.freedAt ??= []).push(at);
    if (prev !== undefined && life.state !== prev) this.#complain('I3', `${id} went from ${prev} to waiting, but was ${life.state}`);
    life.state = 'waiting';
  }

  #taken(id: string, life: Life, at: number): void {
    if (life.state !== 'waiting') this.#complain('I3', `${id} was handed out while it was ${life.state}`);
    if (life.taken === 0) life.taken = this.#events;
    this.#active += 1;
    if (this.#active > this.#concurrency) this.#complain('I8', `${id} was handed out as the ${this.#active}th active job, where ${this.#concurrency} may be`);
    Object.assign(life, { state: 'active', takes: life.takes + 1, takenAt: at, takenBefore: life.takenAt });
  }

  #ended(id: string, life: Life, state: 'completed' | 'failed', epoch: number | undefined): void {
    if (life.state !== 'active') this.#complain(life.ends > 0 ? 'I1' : 'I4', `${id} ${state} while it was ${life.state}`);
    // The clock may advance within the script that hands a job out, above all if Redis is frozen there.
    if (epoch !== undefined && (epoch < life.takenBefore || epoch > life.takenAt)) {
      this.#complain('I4', `${id} was completed under the lease of ${epoch}, but was last handed out at ${life.takenAt}`);
    }
    if (life.ends === 0) this.#over += 1;
    life.state = state;
    life.ended = this.#events;
    life.ends += 1;
  }

  #complain(invariant: string, what: string): void {
    if (this.#strict) this.#violations.add(invariant, what);
  }
}
