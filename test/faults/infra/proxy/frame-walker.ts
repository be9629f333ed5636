import { FrameScanner, NotRespError } from './frame-scanner.js';

/** How one frame is to be forwarded. */
export interface Frame {
  /** Gets the bytes of the frame, piece by piece, instead of the outlet. Default: they pass as they are. */
  readonly take?: ((bytes: Buffer) => void) | undefined;
  /** Its length in bytes, where it is not RESP. */
  readonly length?: number | undefined;
}

export interface FrameHandlers {
  /** Looks at the frame that begins at `position`; returns undefined if too little of it has come. */
  begin(data: Buffer, position: number): Frame | undefined;
  /** The frame has ended. */
  end(): void;
  /** Gets all bytes that no frame has taken, in as few pieces as possible. */
  send(bytes: Buffer): void;
}

const nothing = Buffer.alloc(0);

/** Walks a stream frame by frame; bytes that nobody takes pass without being copied. */
export class FrameWalker {
  readonly #handlers: FrameHandlers;
  readonly #scanner = new FrameScanner();
  #mode: 'frames' | 'blind' | 'discard' = 'frames';
  #frame: Frame | undefined;
  /** The chunk at hand, with what was left of the last one in front. */
  #data: Buffer = nothing;
  /** Up to here the walk has come. */
  #position = 0;
  /** From here up to `#position` bytes are to pass. */
  #unsent = 0;

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
  }

  /** True between the begin and the end of a frame. */
  get midFrame(): boolean {
    return this.#frame !== undefined;
  }

  feed(chunk: Buffer): void {
    if (this.#mode === 'discard') return;
    if (this.#mode === 'blind') return this.#handlers.send(chunk);
    this.#data = this.#data.length > 0 ? Buffer.concat([this.#data, chunk]) : chunk;
    this.#walkSafely();
    this.flush();
    this.#data = this.#remainder();
    this.#position = 0;
    this.#unsent = 0;
  }

  /** Sends what has passed so far; to be called before anything is sent past the walker. */
  flush(): void {
    if (this.#position > this.#unsent) this.#handlers.send(this.#data.subarray(this.#unsent, this.#position));
    this.#unsent = this.#position;
  }

  /** From here on everything passes unseen. */
  goBlind(): void {
    if (this.#mode === 'frames') this.#mode = 'blind';
  }

  /** From here on nothing passes. */
  discard(): void {
    this.#mode = 'discard';
  }

  #walkSafely(): void {
    try {
      while (this.#isWalking() && this.#position < this.#data.length && this.#step());
    } catch (error) {
      if (!(error instanceof NotRespError)) throw error;
      this.goBlind();
    }
  }

  /** Goes on by one frame or a part of it; false if that takes more data. */
  #step(): boolean {
    this.#frame ??= this.#beginFrame();
    if (!this.#frame || !this.#isWalking()) return false;
    const start = this.#position;
    const { length, take } = this.#frame;
    const end = length === undefined ? this.#scanner.advance(this.#data, start) : start + length;
    if (take) {
      this.flush();
      this.#unsent = end;
    }
    this.#position = end;
    if (take && end > start) take(this.#data.subarray(start, end));
    if (!this.#isWalking()) return false;
    if (this.#scanner.open) return end > start;
    this.#frame = undefined;
    this.#handlers.end();
    return true;
  }

  /** Handlers may end the walk at any of their calls. */
  #isWalking(): boolean {
    return this.#mode === 'frames';
  }

  #beginFrame(): Frame | undefined {
    const frame = this.#handlers.begin(this.#data, this.#position);
    if (frame && frame.length === undefined) this.#scanner.begin();
    return frame;
  }

  #remainder(): Buffer {
    const rest = this.#data.subarray(this.#position);
    if (this.#mode === 'frames') return rest;
    if (this.#mode === 'blind') this.#handlers.send(rest);
    return nothing;
  }
}
