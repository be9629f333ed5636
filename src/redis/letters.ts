import { readFirst } from '../core/codec.js';
import { DroverError } from '../core/errors.js';
import { bytes, text, type RawReply } from './script.js';

/** How a child ended, or what else its parent hears of it. `lost`: nobody knows it any more. */
export type ChildEnding = 'completed' | 'failed' | 'retried' | 'removed' | 'lost';

/** What a parent is told of a child; `lua/shared/letters.lua` says how it is packed. */
export interface Letter {
  /** The child, in the queue whose outbox holds the letter. */
  id: string;
  head: LetterHead;
  /** The packed outcome; empty when there is none. */
  outcome: Buffer;
}

/** What a letter says beside the outcome. Siblings that ended in the same call share one. */
export interface LetterHead {
  parent: { prefix: string; queue: string; id: string };
  ending: ChildEnding;
  policy: string;
  /** Redis's clock in µs: tells a letter from an older or newer one of the same child. */
  stamp: number;
  /** As it is packed. */
  bytes: Buffer;
}

/** Reads a letter, whose head may be the same as that of another. Throws CORRUPT_DATA when it is none. */
export function readLetter(id: string, packed: Buffer, other?: LetterHead): Letter {
  const head = other && startsWith(packed, other.bytes) ? other : readHead(id, packed);
  return { id, head, outcome: packed.subarray(head.bytes.length) };
}

function startsWith(packed: Buffer, start: Buffer): boolean {
  return packed.length >= start.length && packed.compare(start, 0, start.length, 0, start.length) === 0;
}

function readHead(id: string, packed: Buffer): LetterHead {
  const { value, end } = readFirst(packed);
  if (!isHead(value)) throw new DroverError('CORRUPT_DATA', { field: 'outbox', message: `The letter of job ${id} to its parent cannot be read.` });
  const [prefix, queue, parent, ending, policy, stamp] = value;
  return { parent: { prefix, queue, id: parent }, ending, policy, stamp, bytes: packed.subarray(0, end) };
}

type Head = [prefix: string, queue: string, parent: string, ending: ChildEnding, policy: string, stamp: number];

function isHead(value: unknown): value is Head {
  return Array.isArray(value) && value.length === 6 && typeof value[5] === 'number' && value.slice(0, 5).every((part) => typeof part === 'string');
}

/** Reads the letters of a reply: pairs of id and letter. One that cannot be read stays in the outbox, for the scheduler to set aside. */
export function readLetters(raw: RawReply | undefined): Letter[] {
  if (!Array.isArray(raw)) return [];
  const letters: Letter[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    try {
      letters.push(readLetter(text(raw[i]), bytes(raw[i + 1]) ?? Buffer.alloc(0), letters.at(-1)?.head));
    } catch {
      // The jobs of the reply are not held up by it.
    }
  }
  return letters;
}
