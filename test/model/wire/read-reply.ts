import type { LetterHead } from '../../../src/redis/letters.js';
import { unpackedFacts } from '../machine/turn.js';
import type { Bytes } from './message-pack.js';
import { readHistory } from './read-state.js';

/** A reply as the model gives it: bytes as text, letters whole, facts and histories unpacked, null for what there is not. */
export function shownReply(verb: string, reply: unknown): unknown {
  if (verb === 'inspectEvents') {
    const { lastId, firstId } = reply as { lastId: string; firstId: string | undefined };
    return { last: lastId !== '0-0', first: firstId !== undefined };
  }
  const shown = shownValue(reply);
  if (verb === 'settle') {
    const settled = shown as { states: (Bytes | null)[]; ids: string[]; records: Bytes | Bytes[] };
    // Large ones come as a list.
    return { ...settled, records: [settled.records].flat().join(''), states: settled.ids.map((_, i) => facts(settled.states[i])) };
  }
  if (verb === 'takeFirst' && shown !== null) return { ...shown, facts: facts((shown as { facts: Bytes | null }).facts) };
  if (verb !== 'fetch') return shown;
  return (shown as { state: Bytes | null; history: Bytes | null }[]).map((job) => ({
    ...job, state: facts(job.state), history: job.history === null ? null : readHistory(job.history),
  }));
}

const facts = (packed: Bytes | null | undefined): unknown => (typeof packed === 'string' ? unpackedFacts(packed) : null);

function shownValue(value: unknown): unknown {
  if (value === undefined) return null;
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== 'object' || value === null) return value;
  if ('head' in value && 'outcome' in value && 'id' in value) {
    return { id: value.id, letter: shownBytes((value.head as LetterHead).bytes) + shownBytes(value.outcome) };
  }
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, shownValue(inner)]));
}

const shownBytes = (bytes: unknown): string => (Buffer.isBuffer(bytes) ? bytes.toString('latin1') : '');
