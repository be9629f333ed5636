import type { Socket } from 'node:net';

/** How a piece of data is to leave. */
export interface Pace {
  readonly delayMs?: number;
  readonly trickle?: { readonly bytes: number; readonly everyMs: number };
}

interface Piece {
  data: Buffer;
  readonly dueAt: number;
  readonly trickle: Pace['trickle'];
}

const highWaterBytes = 1 << 20;

/**
 * One direction of a connection: writes to `target` in order, late or in drops where told to, and stops reading
 * from `source` while the target is slower, or while the direction is held.
 */
export class Outlet {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #held = false;
  #full = false;
  #ending: (() => void) | undefined;

  constructor(source: Socket, target: Socket) {
    this.#source = source;
    this.#target = target;
    target.on('drain', () => this.#setFull(false));
  }

  send(data: Buffer, pace?: Pace): void {
    if (data.length === 0) return;
    if (!pace && !this.#held && this.#queue.length === 0) {
      this.#write(data);
      return;
    }
    this.#queue.push({ data, dueAt: performance.now() + (pace?.delayMs ?? 0), trickle: pace?.trickle });
    this.#queuedBytes += data.length;
    this.#flush();
  }

  /** Calls `then` when everything sent so far has been written. */
  afterAll(then: () => void): void {
    this.#ending = then;
    this.#flush();
  }

  /** Lets nothing through and reads nothing: both sockets stay open, and what is sent waits in the kernel. */
  hold(): void {
    this.#held = true;
    this.#regulate();
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  get held(): boolean {
    return this.#held;
  }

  discard(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#ending = undefined;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    while (!this.#held) {
      const piece = this.#queue[0];
      if (!piece) break;
      const waitMs = piece.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#flush(), waitMs);
        break;
      }
      this.#release(piece);
    }
    this.#regulate();
    if (this.#queue.length === 0 && !this.#held) this.#end();
  }

  #release(piece: Piece): void {
    this.#queue.shift();
    this.#queuedBytes -= piece.data.length;
    const { data, trickle } = piece;
    if (!trickle || data.length <= trickle.bytes) {
      this.#write(data);
      return;
    }
    this.#write(data.subarray(0, trickle.bytes));
    const rest = data.subarray(trickle.bytes);
    this.#queue.unshift({ data: rest, dueAt: performance.now() + trickle.everyMs, trickle });
    this.#queuedBytes += rest.length;
  }

  #write(data: Buffer): void {
    if (this.#target.destroyed) return;
    if (!this.#target.write(data)) this.#setFull(true);
  }

  #setFull(full: boolean): void {
    this.#full = full;
    this.#regulate();
  }

  #regulate(): void {
    const stop = this.#held || this.#full || this.#queuedBytes > highWaterBytes;
    if (stop === this.#source.isPaused()) return;
    if (stop) this.#source.pause();
    else this.#source.resume();
  }

  #end(): void {
    const then = this.#ending;
    this.#ending = undefined;
    then?.();
  }
}
