import { InvalidInputError } from './errors.js';

/** Longer words are no misspelling of an option, and comparing them would cost time for nothing. */
const LONGEST_WORD = 64;

/**
 * The known word that `word` most probably misspells, for "unknown option 'delya', did you mean 'delay'?".
 *
 * Words are compared without regard to case by the optimal string alignment distance (Damerau 1964, Levenshtein
 * 1966): insertions, deletions, substitutions and transpositions of neighbours count one each. A word qualifies when
 * at most a third of its letters (but always one) are wrong, and something is right. Of equally near words the first
 * in `known` wins.
 *
 * @param part the part of its letters that may be wrong, as 1 / `part`.
 * @returns undefined when nothing is near, or `word` is longer than 64 characters.
 */
export function nearest(word: string, known: readonly string[], part = 3): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const sought = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const longer = Math.max(candidate.length, word.length);
    const tolerated = Math.min(Math.max(1, Math.floor(longer / part)), longer - 1);
    if (longer > LONGEST_WORD || Math.abs(candidate.length - word.length) > tolerated) continue;
    const found = distance(sought, candidate.toLowerCase());
    if (found > tolerated && found > 0) continue;
    if (found < bestDistance) [best, bestDistance] = [candidate, found];
  }
  return best;
}

/**
 * Refuses every own property of `options` that is not among `known`.
 *
 * @param field the path of `options` itself, e.g. `backoff`; the error names `backoff.delya`.
 * @throws InvalidInputError `UNKNOWN_OPTION`, with the nearest known option in its message.
 */
export function refuseUnknownOptions(options: object, known: readonly string[], field: string): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new InvalidInputError('UNKNOWN_OPTION', {
      field: `${field}.${shortened(name)}`,
      message: `Unknown option ${shown(name)} in ${field}${meant === undefined ? '.' : `, did you mean '${meant}'?`}`,
    });
  }
}

/** A short picture of any value, for messages: at most 64 characters of a string, never the content of an object. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${shortened(value)}'`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

const shortened = (text: string): string => printable(text.length > LONGEST_WORD ? `${text.slice(0, LONGEST_WORD)}…` : text);

/** Text of unknown origin without what could move a terminal's cursor. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}

/** The optimal string alignment distance, by three rows of the usual table. */
function distance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const differs = left[row - 1] === right[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + differs,
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, right.length);
}

const at = (row: readonly number[], column: number): number => row[column] ?? Infinity;
