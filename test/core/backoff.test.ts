import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backoffDelay,
  bullExponentialDelay,
  computeBackoff,
  MAX_DELAY_MS,
  normalizeBackoff,
  type BackoffOptions,
} from '../../src/core/backoff.js';

const lowest = (): number => 0;
const highest = (): number => 0.9999;
const delays = fc.integer({ min: 0, max: MAX_DELAY_MS });
const options: fc.Arbitrary<BackoffOptions> = fc.record(
  {
    type: fc.constantFrom('fixed', 'exponential', 'linear'),
    delay: delays,
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    maxDelay: delays,
  },
  { requiredKeys: ['type'] },
);

describe('normalizeBackoff', () => {
  it.each([
    [undefined, undefined],
    [null, undefined],
    [0, { type: 'fixed', delay: 0 }],
    [250, { type: 'fixed', delay: 250 }],
    [MAX_DELAY_MS, { type: 'fixed', delay: MAX_DELAY_MS }],
    [{ type: 'fixed' }, { type: 'fixed' }],
    [{ type: 'exponential', delay: 1 }, { type: 'exponential', delay: 1 }],
    [
      { type: 'linear', delay: 5, jitter: 1, maxDelay: 9 },
      { type: 'linear', delay: 5, jitter: 1, maxDelay: 9 },
    ],
    [{ type: 'mine', delay: undefined }, { type: 'mine' }],
    [{ type: 'toString', delay: 1 }, { type: 'toString', delay: 1 }],
  ])('reads %o', (value, expected) => expect(normalizeBackoff(value)).toStrictEqual(expected));

  it.each([
    [-1, 'backoff'],
    [NaN, 'backoff'],
    [Infinity, 'backoff'],
    [1.5, 'backoff'],
    [MAX_DELAY_MS + 1, 'backoff'],
    ['100', 'backoff'],
    [true, 'backoff'],
    [100n, 'backoff'],
    [[100], 'backoff'],
    [() => 1, 'backoff'],
    [{}, 'backoff.type'],
    [{ type: '' }, 'backoff.type'],
    [{ type: 'x'.repeat(257) }, 'backoff.type'],
    [{ type: 5 }, 'backoff.type'],
    [{ type: 'fixed', delay: -1 }, 'backoff.delay'],
    [{ type: 'fixed', delay: NaN }, 'backoff.delay'],
    [{ type: 'fixed', delay: 0.5 }, 'backoff.delay'],
    [{ type: 'mine', delay: Infinity }, 'backoff.delay'],
    [{ type: 'fixed', delay: '1' }, 'backoff.delay'],
    [{ type: 'fixed', delay: null }, 'backoff.delay'],
    [{ type: 'fixed', maxDelay: -1 }, 'backoff.maxDelay'],
    [{ type: 'fixed', jitter: -0.1 }, 'backoff.jitter'],
    [{ type: 'fixed', jitter: 1.1 }, 'backoff.jitter'],
    [{ type: 'fixed', jitter: NaN }, 'backoff.jitter'],
    [{ type: 'fixed', jitter: '0.5' }, 'backoff.jitter'],
  ])('refuses %o', (value, field) => {
    expect(() => normalizeBackoff(value)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field }));
  });

  it('names an unknown option, the nearest known one and the path', () => {
    const refuse = (): unknown => normalizeBackoff({ type: 'fixed', delya: 5 }, 'defaultJobOptions.backoff');
    expect(refuse).toThrow("Unknown option 'delya' in defaultJobOptions.backoff, did you mean 'delay'?");
    expect(refuse).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', field: 'defaultJobOptions.backoff.delya' }),
    );
  });

  it('leaves what it returned unchanged the second time', () => {
    fc.assert(
      fc.property(options, (given) => {
        expect(normalizeBackoff(normalizeBackoff(given))).toStrictEqual({ ...given });
      }),
    );
  });
});

describe('backoffDelay', () => {
  const series = (given: BackoffOptions): number[] => [1, 2, 3, 4, 5].map((made) => backoffDelay(given, made, lowest));

  it.each([
    [{ type: 'fixed', delay: 100 }, [100, 100, 100, 100, 100]],
    [{ type: 'exponential', delay: 100 }, [100, 200, 400, 800, 1600]],
    [{ type: 'linear', delay: 100 }, [100, 200, 300, 400, 500]],
    [{ type: 'exponential', delay: 100, maxDelay: 500 }, [100, 200, 400, 500, 500]],
    [{ type: 'linear', delay: 100, maxDelay: 250, jitter: 0.5 }, [50, 100, 125, 125, 125]],
    [{ type: 'exponential' }, [0, 0, 0, 0, 0]],
  ])('of %o is %o', (given, expected) => expect(series(given)).toEqual(expected));

  it('draws from the whole of [delay · (1 − jitter), delay]', () => {
    const given: BackoffOptions = { type: 'fixed', delay: 1000, jitter: 0.25 };
    expect(backoffDelay(given, 1, lowest)).toBe(750);
    expect(backoffDelay(given, 1, () => 0.5)).toBe(875);
    expect(backoffDelay(given, 1, highest)).toBe(999);
    expect(backoffDelay({ ...given, jitter: 1 }, 1, lowest)).toBe(0);
  });

  it('saturates instead of overflowing', () => {
    expect(backoffDelay({ type: 'exponential', delay: 1000 }, 2000)).toBe(MAX_DELAY_MS);
    expect(backoffDelay({ type: 'exponential', delay: 0 }, 2000)).toBe(0);
    expect(backoffDelay({ type: 'exponential', delay: 1000 }, Infinity)).toBe(MAX_DELAY_MS);
    expect(backoffDelay({ type: 'linear', delay: MAX_DELAY_MS }, Number.MAX_SAFE_INTEGER)).toBe(MAX_DELAY_MS);
  });

  it('takes anything below one attempt for the first', () => {
    for (const made of [0, -5, NaN]) expect(backoffDelay({ type: 'exponential', delay: 10 }, made)).toBe(10);
  });

  it('refuses types that are not built in', () => {
    expect(() => backoffDelay({ type: 'exponentail' }, 1)).toThrow("did you mean 'exponential'?");
    expect(() => backoffDelay({ type: 'constructor' }, 1)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  it('is a whole number from 0 to the cap and within the jitter, whatever the options', () => {
    fc.assert(
      fc.property(options, fc.nat({ max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (given, made, drawn) => {
        const delay = backoffDelay(given, made, () => drawn);
        const full = backoffDelay({ ...given, jitter: 0 }, made);
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(full * (1 - (given.jitter ?? 0))));
        expect(delay).toBeLessThanOrEqual(full);
        expect(full).toBeLessThanOrEqual(given.maxDelay ?? MAX_DELAY_MS);
      }),
    );
  });

  it('never shrinks from attempt to attempt without jitter', () => {
    fc.assert(
      fc.property(options, fc.nat({ max: 5000 }), (given, made) => {
        const plain = { ...given, jitter: 0 };
        expect(backoffDelay(plain, made + 1)).toBeGreaterThanOrEqual(backoffDelay(plain, made));
      }),
    );
  });
});

describe('computeBackoff', () => {
  const mine: BackoffOptions = { type: 'mine', delay: 5 };

  it('retries at once without options', async () => {
    expect(await computeBackoff({ options: undefined, attemptsMade: 1 })).toEqual({ retry: true, delayMs: 0 });
  });

  it('asks the strategy with BullMQ’s arguments', async () => {
    const error = new Error('boom');
    const seen: unknown[] = [];
    const strategy = (...args: unknown[]): number => seen.push(...args) * 0 + 42;
    const decision = await computeBackoff({ options: mine, attemptsMade: 3, strategy, error, job: { id: '7' } });
    expect(decision).toEqual({ retry: true, delayMs: 42 });
    expect(seen).toEqual([3, 'mine', error, { id: '7' }]);
  });

  it.each([
    [0, { retry: true, delayMs: 0 }],
    [1.4, { retry: true, delayMs: 1 }],
    [Infinity, { retry: true, delayMs: MAX_DELAY_MS }],
    [-1, { retry: false }],
  ])('takes %o from a strategy, at once or as a promise', async (answer, decision) => {
    expect(await computeBackoff({ options: mine, attemptsMade: 1, strategy: () => answer })).toEqual(decision);
    const later = { options: mine, attemptsMade: 1, strategy: () => Promise.resolve(answer) };
    expect(await computeBackoff(later)).toEqual(decision);
  });

  it('caps a strategy’s delay but does not jitter it', async () => {
    const capped: BackoffOptions = { type: 'mine', maxDelay: 10, jitter: 1 };
    const decision = await computeBackoff({ options: capped, attemptsMade: 1, strategy: () => 99, random: lowest });
    expect(decision).toEqual({ retry: true, delayMs: 10 });
  });

  it.each([NaN, '100', -2, -0.5, -Infinity, undefined, null, {}, 5n])('refuses %o from a strategy', async (rubbish) => {
    const strategy = (): number => rubbish as number;
    await expect(computeBackoff({ options: mine, attemptsMade: 1, strategy })).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', field: 'settings.backoffStrategy' }),
    );
  });

  it('passes on what the strategy throws', async () => {
    const failure = new Error('strategy failed');
    const strategy = (): number => {
      throw failure;
    };
    await expect(computeBackoff({ options: mine, attemptsMade: 1, strategy })).rejects.toBe(failure);
  });

  it('never asks the strategy for fixed and exponential, and does for linear', async () => {
    const decide = (type: string): unknown =>
      computeBackoff({ options: { type, delay: 10 }, attemptsMade: 3, strategy: () => 7 });
    expect(await decide('fixed')).toEqual({ retry: true, delayMs: 10 });
    expect(await decide('exponential')).toEqual({ retry: true, delayMs: 40 });
    expect(await decide('linear')).toEqual({ retry: true, delayMs: 7 });
    const alone = { options: { type: 'linear', delay: 10 }, attemptsMade: 3 };
    expect(await computeBackoff(alone)).toEqual({ retry: true, delayMs: 30 });
  });

  it('refuses a custom type without a strategy', async () => {
    await expect(computeBackoff({ options: mine, attemptsMade: 1 })).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', field: 'backoff.type' }),
    );
  });
});

describe('bullExponentialDelay', () => {
  it('is (2^n − 1) · delay, saturated', () => {
    expect([0, 1, 2, 3, 4].map((made) => bullExponentialDelay(100, made))).toEqual([0, 100, 300, 700, 1500]);
    expect(bullExponentialDelay(100, 5000)).toBe(MAX_DELAY_MS);
    expect(bullExponentialDelay(0, 5000)).toBe(0);
    expect(bullExponentialDelay(100, NaN)).toBe(0);
  });
});
