import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.js';
import { nearest, refuseUnknownOptions, shown } from '../../src/core/nearest.js';

const OPTIONS = ['type', 'delay', 'jitter', 'maxDelay', 'attempts', 'removeOnComplete', 'removeOnFail', 'tz'];

describe('nearest', () => {
  it.each([
    ['delya', 'delay'],
    ['dealy', 'delay'],
    ['DELAY', 'delay'],
    ['delays', 'delay'],
    ['maxdelay', 'maxDelay'],
    ['attempt', 'attempts'],
    ['atempts', 'attempts'],
    ['removeOnCompleted', 'removeOnComplete'],
    ['removeOnFailed', 'removeOnFail'],
    ['ts', 'tz'],
  ])('takes %s for %s', (word, meant) => expect(nearest(word, OPTIONS)).toBe(meant));

  it.each(['', 'q', 'xy', 'priority', 'completely different', 'd'.repeat(1_000_000)])('has nothing near %.20s', (word) => {
    expect(nearest(word, OPTIONS)).toBeUndefined();
  });

  it('prefers the first of equally near words', () => {
    expect(nearest('bat', ['cat', 'rat'])).toBe('cat');
    expect(nearest('bat', [])).toBeUndefined();
  });

  it('finds every known word itself, and after one transposition of neighbours', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPTIONS.filter((word) => word.length > 3)), fc.nat(), (word, seed) => {
        const at = seed % (word.length - 1);
        const swapped = word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2);
        expect(nearest(word, OPTIONS)).toBe(word);
        expect(nearest(swapped, OPTIONS)).toBe(word);
      }),
    );
  });

  it('returns a known word or nothing, whatever the word', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (word, known) => {
        const found = nearest(word, known);
        if (found !== undefined) expect(known).toContain(found);
      }),
    );
  });
});

describe('refuseUnknownOptions', () => {
  it('names the option, where it is and the known one', () => {
    const refuse = (): void => refuseUnknownOptions({ delya: 1 }, OPTIONS, 'backoff');
    expect(refuse).toThrow(InvalidInputError);
    expect(refuse).toThrow("Unknown option 'delya' in backoff, did you mean 'delay'?");
    expect(refuse).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION', field: 'backoff.delya' }));
  });

  it('guesses nothing when nothing is near, and shortens long names', () => {
    expect(() => refuseUnknownOptions({ colour: 1 }, OPTIONS, 'backoff')).toThrow("'colour' in backoff. Remove");
    expect(() => refuseUnknownOptions({ ['x'.repeat(500)]: 1 }, OPTIONS, 'backoff')).toThrow(`'${'x'.repeat(64)}…'`);
  });

  it('lets known options pass', () => refuseUnknownOptions({ delay: 1, tz: undefined }, OPTIONS, 'backoff'));
});

describe('shown', () => {
  it.each([
    ['text', "'text'"],
    [Number.NaN, 'NaN'],
    [5n, '5'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ secret: 1 }, 'an object'],
    [[1], 'an array'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
  ])('shows %o', (value, text) => expect(shown(value)).toBe(text));
});
