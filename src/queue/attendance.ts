import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import type { EnqueueCall, EnqueueReply } from '../redis/scripts/enqueue.js';
import type { EnqueueRequest } from './enqueuer.js';
import { restingNeighbour, type Neighbour, type Reservation } from './neighbours.js';
import { isDelayed } from './pack-jobs.js';

/** More than these are not handed over: a take behind them serves as well. */
const mostHandedOver = 7;

/** What a worker of this process does for the jobs of one call: it is given them, or looks for them, or nothing. */
export class Attendance {
  readonly #requests: readonly EnqueueRequest[];
  readonly #neighbour: Neighbour | undefined;
  readonly #reserved: Reservation | undefined;

  /** @param overtakes whether a call that is sent behind this one may reach Redis before it: then no worker attends. */
  constructor(connection: Connection, keys: QueueKeys, requests: readonly EnqueueRequest[], overtakes: boolean) {
    this.#requests = requests;
    const neighbour = restingNeighbour(connection, keys);
    if (!neighbour || overtakes || requests.every(isDelayed)) return;
    this.#neighbour = neighbour;
    const isOrdinary = requests.length <= mostHandedOver && !requests.some(({ special }) => special);
    if (isOrdinary) this.#reserved = neighbour.reserve(requests.length);
  }

  /** What the call says of it. */
  get terms(): Pick<EnqueueCall, 'attended' | 'holder'> {
    return { attended: this.#neighbour !== undefined, holder: this.#reserved };
  }

  /** The call has left. */
  sent(): void {
    if (this.#reserved) this.#reserved.expect(this.#requests.map(({ id }) => id), this.#requests.map(({ record }) => record));
    else this.#neighbour?.look();
  }

  answered({ lease }: EnqueueReply): void {
    if (this.#reserved && lease !== undefined) return this.#reserved.fill(lease);
    this.#reserved?.cancel();
    // They were not handed over; or it rests already, because their call had to be repeated and they came after its look.
    if (this.#neighbour?.isFree()) this.#neighbour.look();
  }

  failed(): void {
    this.#reserved?.cancel();
  }
}
