import type { Reservation } from '../queue/neighbours.js';
import type { Holder } from '../redis/scripts/enqueue.js';
import type { Dispatcher } from './dispatcher.js';
import { readList, type TakenRecord } from './taken-records.js';

type Slots = Pick<Dispatcher, 'reserve' | 'receive' | 'release'>;

/** Keeps so many slots of a worker free, until they are filled or given up; undefined when there are not as many. */
export function reserveSlots(slots: Slots, count: number, holder: Holder): Reservation | undefined {
  return slots.reserve(count) ? new ReservedSlots(slots, count, holder) : undefined;
}

class ReservedSlots implements Reservation {
  readonly worker: string;
  readonly leaseMs: number;
  readonly #slots: Slots;
  #count: number;
  #ids: readonly string[] = [];
  #jobs: TakenRecord[] = [];

  constructor(slots: Slots, count: number, { worker, leaseMs }: Holder) {
    this.#slots = slots;
    this.#count = count;
    this.worker = worker;
    this.leaseMs = leaseMs;
  }

  expect(ids: readonly string[], records: readonly Buffer[]): void {
    this.#ids = ids;
    this.#jobs = readList(ids, records);
  }

  fill(lease: string): void {
    this.#slots.receive({ lease, ids: this.#ids, jobs: this.#jobs, states: [], missing: [] }, this.#take());
  }

  cancel(): void {
    this.#slots.release(this.#take());
  }

  /** How many slots are reserved still; none from then on. */
  #take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}
