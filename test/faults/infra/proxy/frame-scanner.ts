const CR = 13;
const LF = 10;
const MINUS = 45;

/** The types of RESP2 and RESP3 by their first byte. */
const bulks = bytesOf('$=!');
const lists = bytesOf('*~>');
const maps = bytesOf('%');
const attributes = bytesOf('|');
const lines = bytesOf('+-:,#_(');

/** The bytes are not RESP; the connection can still be forwarded, but no longer understood. */
export class NotRespError extends Error {
  override readonly name = 'NotRespError';
}

/**
 * Finds where RESP values end, over any division of the stream into chunks, without keeping their content.
 *
 * Nothing is recursive: `values` counts what is still to come, however deeply it nests.
 */
export class FrameScanner {
  #values = 0;
  #bytes = 0;

  /** True while a value has begun and not ended. */
  get open(): boolean {
    return this.#values > 0 || this.#bytes > 0;
  }

  /** Declares that a value begins at the next position given to `advance`. */
  begin(): void {
    this.#values = 1;
  }

  /**
   * Walks from `start` to the end of the open value, or as far as `data` allows; returns where it stopped.
   * A line that is cut short stays in front of the returned position: give it again, completed.
   */
  advance(data: Buffer, start: number): number {
    let position = start;
    while (this.open) {
      if (this.#bytes > 0) {
        const step = Math.min(this.#bytes, data.length - position);
        this.#bytes -= step;
        position += step;
        if (this.#bytes > 0) return position;
        continue;
      }
      const end = lineEnd(data, position);
      if (end === -1) return position;
      this.#header(data, position, end);
      position = end + 2;
    }
    return position;
  }

  #header(data: Buffer, position: number, end: number): void {
    const type = data[position] ?? 0;
    this.#values -= 1;
    if (lines.has(type)) return;
    const length = integer(data, position + 1, end);
    if (bulks.has(type)) this.#bytes = length < 0 ? 0 : length + 2;
    else if (lists.has(type)) this.#values += Math.max(length, 0);
    else if (maps.has(type)) this.#values += 2 * length;
    // Attributes go before the value that they describe.
    else if (attributes.has(type)) this.#values += 2 * length + 1;
    else throw new NotRespError(`unknown type ${type}`);
  }
}

/** The position of the CR that ends the line, or -1 if the line is not complete. */
export function lineEnd(data: Buffer, start: number): number {
  for (let position = start; position < data.length - 1; position += 1) {
    if (data[position] === CR && data[position + 1] === LF) return position;
  }
  return -1;
}

/** The decimal number in `data` from `start` up to `end`. */
export function integer(data: Buffer, start: number, end: number): number {
  const negative = data[start] === MINUS;
  let value = 0;
  for (let position = negative ? start + 1 : start; position < end; position += 1) {
    const digit = (data[position] ?? 0) - 48;
    if (digit < 0 || digit > 9) throw new NotRespError('a length that is not a number');
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

function bytesOf(text: string): ReadonlySet<number> {
  return new Set(Buffer.from(text));
}
