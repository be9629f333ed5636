import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DELAY_MS } from '../../src/core/backoff.js';
import { dueSlots, firstSlot, LAST_SLOT_MS, nextSlot, parseSchedule, type Schedule } from '../../src/core/cron.js';
import { InvalidInputError } from '../../src/core/errors.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Clock changes of each zone, at noon UTC of the day before. */
const CHANGES = [
  { tz: 'America/New_York', spring: '2025-03-08T12:00Z', autumn: '2025-11-01T12:00Z' },
  { tz: 'Europe/Berlin', spring: '2025-03-29T12:00Z', autumn: '2025-10-25T12:00Z' },
  { tz: 'Australia/Lord_Howe', spring: '2025-10-04T00:00Z', autumn: '2025-04-05T00:00Z' },
];

const iso = (slots: readonly number[]): string[] => slots.map((slot) => new Date(slot).toISOString().slice(0, 16));
const slotsOf = (options: object, from: string, max: number): string[] =>
  iso(dueSlots(parseSchedule(options), Date.parse(from), Infinity, max));

/** The wall clock as Intl tells it, independently of the code under test. */
function wallClock(tz: string): (instant: number) => { hour: number; minute: number; key: number } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: tz, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
  });
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
    return { hour, minute, key: Date.UTC(year, month - 1, day, hour, minute) };
  };
}

/** Every slot of a pattern of minutes and hours in (from, to], found by looking at every minute in between. */
function bruteForce(times: { minutes: number[]; hours: number[]; tz: string; everyInstant: boolean }, from: number, to: number): number[] {
  const clock = wallClock(times.tz);
  const matches = (key: number): boolean =>
    times.hours.includes(Math.floor(key / HOUR_MS) % 24) && times.minutes.includes(Math.floor(key / MINUTE_MS) % 60);
  const found: number[] = [];
  let shown = clock(from).key;
  for (let instant = from + MINUTE_MS; instant <= to; instant += MINUTE_MS) {
    const { key } = clock(instant);
    let due = times.everyInstant && matches(key);
    // What the clock shows for the first time now: usually one minute, after a gap all that it skipped.
    for (let wall = shown + MINUTE_MS; !times.everyInstant && wall <= key; wall += MINUTE_MS) due ||= matches(wall);
    if (due) found.push(instant);
    shown = Math.max(shown, key);
  }
  return found;
}

describe('parseSchedule', () => {
  it('fills in defaults', () => {
    expect(parseSchedule({ every: 1000 })).toStrictEqual({
      kind: 'every', every: 1000, offset: 0, startAt: undefined, endAt: undefined, limit: undefined, count: 0,
      immediately: false, missed: 'one', overlap: 'allow',
    });
    expect(parseSchedule({ pattern: '@daily' })).toMatchObject({
      kind: 'pattern', pattern: '@daily', tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
  });

  it('takes every option, dates of every kind, and BullMQ’s internal ones', () => {
    const schedule = parseSchedule({
      pattern: '0 9 * * *', tz: 'europe/berlin', startDate: '2025-01-01T00:00:00Z', endDate: new Date(MAX_DELAY_MS), limit: 5, count: 2,
      missed: 'all', overlap: 'skip', key: 'k', prevMillis: 1, jobId: 'x', offset: null, every: undefined, immediately: false,
    });
    expect(schedule).toMatchObject({
      tz: 'europe/berlin', startAt: Date.UTC(2025, 0), endAt: MAX_DELAY_MS, limit: 5, count: 2, missed: 'all', overlap: 'skip',
    });
    expect(JSON.parse(JSON.stringify(schedule))).toEqual(schedule);
  });

  it.each([
    ['0 0 31 2 *'], ['0 0 30 2 *'], ['0 0 31 4,6,9,11 *'], ['0 0 30-31 2 *'], ['0 0 0 30 2 *'], ['*/0'], ['*/0 * * * *'], ['*/-1'],
    ['*/-1 * * * *'], ['60 * * * *'], ['* 24 * * *'], ['* * 0 * *'], ['* * 32 * *'], ['* * * 13 *'], ['* * * * 8'], [''], ['   '],
    ['* '.repeat(50_000)], ['1-31/999999999'], ['0 0 1-31/999999999 * *'], ['*/90 * * * *'], ['\0 * * * *'], ['* * * *\n*'],
    ['* * * * * * *'], ['* * * * * * 275761'], ['* * * *'], ['@hourli'], ['@HOURLY'], ['@'], ['5/ * * * *'], ['1-2-3 * * * *'],
    ['9-5 * * * *'], ['a * * * *'], ['* * * foo *'], ['1.5 * * * *'], ['1,,2 * * * *'], ['0 0 * * 1#6'], ['0 0 * * L'], ['１ * * * *'],
    ['1xH(1-2) * * * *'], ['H(9-1) * * * *'], [5], [{}], [['* * * * *']], [true],
  ])('refuses the pattern %.40j at once', (pattern) => {
    expect(() => parseSchedule({ pattern, tz: 'UTC' })).toThrow(
      expect.objectContaining({ name: 'InvalidInputError', code: 'INVALID_SCHEDULE', field: 'repeat.pattern' }),
    );
  });

  it.each([
    [{}, 'INVALID_SCHEDULE', 'repeat'],
    [{ pattern: '* * * * *', every: 5 }, 'INVALID_SCHEDULE', 'repeat.every'],
    [{ pattern: '* * * * *', offset: 5 }, 'INVALID_SCHEDULE', 'repeat.offset'],
    [{ every: 0 }, 'INVALID_SCHEDULE', 'repeat.every'],
    [{ every: -5 }, 'INVALID_SCHEDULE', 'repeat.every'],
    [{ every: 1.5 }, 'INVALID_SCHEDULE', 'repeat.every'],
    [{ every: NaN }, 'INVALID_SCHEDULE', 'repeat.every'],
    [{ every: Infinity }, 'INVALID_SCHEDULE', 'repeat.every'],
    [{ every: '1000' }, 'INVALID_SCHEDULE', 'repeat.every'],
    [{ every: 5, tz: 'Mars/Olympus' }, 'INVALID_SCHEDULE', 'repeat.tz'],
    [{ every: 5, tz: '+02:00' }, 'INVALID_SCHEDULE', 'repeat.tz'],
    [{ every: 5, tz: '' }, 'INVALID_SCHEDULE', 'repeat.tz'],
    [{ every: 5, tz: 'x'.repeat(100_000) }, 'INVALID_SCHEDULE', 'repeat.tz'],
    [{ pattern: '* * * * *', tz: 1 }, 'INVALID_SCHEDULE', 'repeat.tz'],
    [{ every: 5, startDate: 'tomorrow' }, 'INVALID_SCHEDULE', 'repeat.startDate'],
    [{ every: 5, startDate: '' }, 'INVALID_SCHEDULE', 'repeat.startDate'],
    [{ every: 5, startDate: new Date(NaN) }, 'INVALID_SCHEDULE', 'repeat.startDate'],
    [{ every: 5, endDate: '+275761-01-01T00:00:00Z' }, 'INVALID_SCHEDULE', 'repeat.endDate'],
    [{ every: 5, endDate: 8.64e15 + 1 }, 'INVALID_SCHEDULE', 'repeat.endDate'],
    [{ every: 5, endDate: {} }, 'INVALID_SCHEDULE', 'repeat.endDate'],
    [{ every: 5, startDate: 2, endDate: 1 }, 'INVALID_SCHEDULE', 'repeat.endDate'],
    [{ every: 5, startDate: 2, immediately: true }, 'INVALID_SCHEDULE', 'repeat.immediately'],
    [{ every: 5, immediately: 1 }, 'INVALID_OPTION', 'repeat.immediately'],
    [{ every: 5, limit: 0 }, 'INVALID_OPTION', 'repeat.limit'],
    [{ every: 5, limit: 1.5 }, 'INVALID_OPTION', 'repeat.limit'],
    [{ every: 5, count: -1 }, 'INVALID_OPTION', 'repeat.count'],
    [{ every: 5, offset: 0.5 }, 'INVALID_OPTION', 'repeat.offset'],
    [{ every: 5, offset: 1e15 }, 'INVALID_OPTION', 'repeat.offset'],
    [{ every: 5, missed: 'none' }, 'INVALID_OPTION', 'repeat.missed'],
    [{ every: 5, overlap: true }, 'INVALID_OPTION', 'repeat.overlap'],
    [{ pattern: '* * * * *', key: 5 }, 'INVALID_OPTION', 'repeat.key'],
    [{ evry: 5 }, 'UNKNOWN_OPTION', 'repeat.evry'],
    [undefined, 'INVALID_OPTION', 'repeat'],
    ['* * * * *', 'INVALID_OPTION', 'repeat'],
    [[], 'INVALID_OPTION', 'repeat'],
  ])('refuses %.60j', (options, code, field) => {
    expect(() => parseSchedule(options)).toThrow(expect.objectContaining({ name: 'InvalidInputError', code, field }));
  });

  it('names the path it was given', () => {
    expect(() => parseSchedule({ every: 0 }, { field: 'schedule' })).toThrow(/^schedule\.every must be/);
  });

  it('accepts a pattern or throws InvalidInputError, whatever the text', () => {
    const atom = fc.oneof(
      fc.constantFrom('*', '?', '1', 'L', '5L', '1#2', 'H', '*/5', '1-5', 'jan', 'fri', '29', '30', '31', '2', '0', '1-31/2', 'H/9'),
      fc.string({ maxLength: 4 }),
    );
    const patterns = fc.oneof(fc.string(), fc.array(atom, { minLength: 4, maxLength: 7 }).map((atoms) => atoms.join(' ')));
    fc.assert(
      fc.property(patterns, (pattern) => {
        let schedule: Schedule;
        try {
          schedule = parseSchedule({ pattern, tz: 'UTC' });
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
          return;
        }
        expect(nextSlot(schedule, 0)).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('patterns', () => {
  const cases: [string, string[]][] = [
    ['*/20 * * * *', ['2025-01-31T12:20', '2025-01-31T12:40', '2025-01-31T13:00']],
    ['30 0 12 * * *', ['2025-02-01T12:00', '2025-02-02T12:00', '2025-02-03T12:00']],
    ['@hourly', ['2025-01-31T13:00', '2025-01-31T14:00', '2025-01-31T15:00']],
    ['@weekly', ['2025-02-02T00:00', '2025-02-09T00:00', '2025-02-16T00:00']],
    ['@yearly', ['2026-01-01T00:00', '2027-01-01T00:00', '2028-01-01T00:00']],
    ['0 0 L * *', ['2025-02-28T00:00', '2025-03-31T00:00', '2025-04-30T00:00']],
    ['0 0 31 * *', ['2025-03-31T00:00', '2025-05-31T00:00', '2025-07-31T00:00']],
    ['0 0 29 2 *', ['2028-02-29T00:00', '2032-02-29T00:00', '2036-02-29T00:00']],
    ['0 0 * 2 1#5', ['2044-02-29T00:00', '2072-02-29T00:00', '2112-02-29T00:00']],
    ['0 0 * * 5L', ['2025-02-28T00:00', '2025-03-28T00:00', '2025-04-25T00:00']],
    ['0 0 * * 1#1', ['2025-02-03T00:00', '2025-03-03T00:00', '2025-04-07T00:00']],
    ['0 0 * * 7', ['2025-02-02T00:00', '2025-02-09T00:00', '2025-02-16T00:00']],
    ['0 0 * * MON-FRI', ['2025-02-03T00:00', '2025-02-04T00:00', '2025-02-05T00:00']],
    ['0 0 ? feb ?', ['2025-02-01T00:00', '2025-02-02T00:00', '2025-02-03T00:00']],
    ['0 0 13 * 5', ['2025-02-07T00:00', '2025-02-13T00:00', '2025-02-14T00:00']],
    ['0 0 31 2 1', ['2025-02-03T00:00', '2025-02-10T00:00', '2025-02-17T00:00']],
  ];
  it.each(cases)('%s', (pattern, expected) => {
    expect(slotsOf({ pattern, tz: 'UTC' }, '2025-01-31T12:00:30Z', 3)).toEqual(expected);
  });

  it('are read in their zone', () => {
    expect(slotsOf({ pattern: '0 9 * * *', tz: 'Asia/Kolkata' }, '2025-01-01T00:00Z', 1)).toEqual(['2025-01-01T03:30']);
    expect(slotsOf({ pattern: '0 9 * * *', tz: 'Pacific/Apia' }, '2025-01-01T00:00Z', 1)).toEqual(['2025-01-01T20:00']);
  });

  it('give H the same meaning for the same seed, and spread different seeds', () => {
    const minutes = (seed: string): string[] =>
      iso(dueSlots(parseSchedule({ pattern: 'H H * * *', tz: 'UTC' }, { seed }), 0, Infinity, 1));
    expect(minutes('a')).toEqual(minutes('a'));
    expect(new Set(Array.from('abcdefgh', minutes).flat()).size).toBeGreaterThan(4);
  });
});

describe('when clocks go forward', () => {
  it.each([
    ['America/New_York', '30 2 * * *', '2025-03-08T00:00Z', ['2025-03-08T07:30', '2025-03-09T07:00', '2025-03-10T06:30']],
    ['Europe/Berlin', '30 2 * * *', '2025-03-29T00:00Z', ['2025-03-29T01:30', '2025-03-30T01:00', '2025-03-31T00:30']],
    ['Australia/Lord_Howe', '15 2 * * *', '2025-10-03T16:00Z', ['2025-10-04T15:30', '2025-10-05T15:15', '2025-10-06T15:15']],
  ])('%s runs %s at the first instant after the gap', (tz, pattern, from, expected) => {
    expect(slotsOf({ pattern, tz }, from, 3)).toEqual(expected);
  });

  it('merges all times in the gap, and one right after it, into one slot', () => {
    const from = '2025-03-09T05:30Z';
    expect(slotsOf({ pattern: '*/15 2 * * *', tz: 'America/New_York' }, from, 2)).toEqual(['2025-03-09T07:00', '2025-03-10T06:00']);
    expect(slotsOf({ pattern: '0 1,2,3 * * *', tz: 'America/New_York' }, from, 3)).toEqual([
      '2025-03-09T06:00', '2025-03-09T07:00', '2025-03-10T05:00',
    ]);
  });

  it('keeps a daily midnight where midnight is skipped', () => {
    expect(slotsOf({ pattern: '@daily', tz: 'Africa/Cairo' }, '2025-04-24T00:00Z', 2)).toEqual(['2025-04-24T22:00', '2025-04-25T21:00']);
  });

  it('keeps an interval without an extra run', () => {
    expect(slotsOf({ pattern: '*/30 * * * *', tz: 'Europe/Berlin' }, '2025-03-30T00:15Z', 4)).toEqual([
      '2025-03-30T00:30', '2025-03-30T01:00', '2025-03-30T01:30', '2025-03-30T02:00',
    ]);
  });
});

describe('when clocks go back', () => {
  it.each([
    ['America/New_York', '30 1 * * *', '2025-11-01T12:00Z', ['2025-11-02T05:30', '2025-11-03T06:30']],
    ['Europe/Berlin', '30 2 * * *', '2025-10-25T12:00Z', ['2025-10-26T00:30', '2025-10-27T01:30']],
    ['Australia/Lord_Howe', '45 1 * * *', '2025-04-05T00:00Z', ['2025-04-05T14:45', '2025-04-06T15:15']],
  ])('%s runs %s at its first occurrence only', (tz, pattern, from, expected) => {
    expect(slotsOf({ pattern, tz }, from, 2)).toEqual(expected);
  });

  it('finds no slot of fixed hours when asked in the middle of the repeated hour', () => {
    expect(slotsOf({ pattern: '* * 1 * * *', tz: 'America/New_York' }, '2025-11-02T06:10Z', 1)).toEqual(['2025-11-03T06:00']);
    expect(slotsOf({ pattern: '0,45 1,2 * * *', tz: 'America/New_York' }, '2025-11-02T06:10Z', 1)).toEqual(['2025-11-02T07:00']);
  });

  it('runs intervals in both hours', () => {
    expect(slotsOf({ pattern: '0 * * * *', tz: 'America/New_York' }, '2025-11-02T04:30Z', 4)).toEqual([
      '2025-11-02T05:00', '2025-11-02T06:00', '2025-11-02T07:00', '2025-11-02T08:00',
    ]);
    expect(slotsOf({ pattern: '*/15 * * * *', tz: 'Australia/Lord_Howe' }, '2025-04-05T14:40Z', 4)).toEqual([
      '2025-04-05T14:45', '2025-04-05T15:00', '2025-04-05T15:15', '2025-04-05T15:30',
    ]);
  });
});

describe('slots around clock changes', () => {
  const windows = CHANGES.flatMap(({ tz, spring, autumn }) => [spring, autumn].map((day) => ({ tz, from: Date.parse(day) })));
  const some = (max: number): fc.Arbitrary<number[]> => fc.uniqueArray(fc.nat({ max }), { minLength: 1, maxLength: 4 });
  const hourFields = fc.oneof(
    some(5).map((hours) => ({ text: hours.join(','), hours, everyInstant: false })),
    fc.constantFrom(1, 2, 3).map((step) => ({
      text: step === 1 ? '*' : `*/${step}`,
      hours: Array.from({ length: 24 / step }, (_, index) => index * step),
      everyInstant: true,
    })),
  );

  it.each(windows)('of $tz from $from are those found by looking at every minute', ({ tz, from }) => {
    const to = from + 2 * DAY_MS;
    fc.assert(
      fc.property(some(59), hourFields, (minutes, { text, hours, everyInstant }) => {
        const schedule = parseSchedule({ pattern: `${minutes.join(',')} ${text} * * *`, tz });
        expect(dueSlots(schedule, from, to, 10_000)).toEqual(bruteForce({ minutes, hours, tz, everyInstant }, from, to));
      }),
      { numRuns: 15 },
    );
  });

  it('can be asked for from any instant and always lie after it', () => {
    const schedules = fc.record({ window: fc.constantFrom(...windows), hour: hourFields, minutes: some(59) });
    fc.assert(
      fc.property(schedules, fc.nat({ max: 2 * DAY_MS }), ({ window, hour, minutes }, elapsed) => {
        const schedule = parseSchedule({ pattern: `${minutes.join(',')} ${hour.text} * * *`, tz: window.tz });
        const after = window.from + elapsed;
        const expected = dueSlots(schedule, window.from - 1, Infinity, 400).find((slot) => slot > after);
        if (expected !== undefined) expect(nextSlot(schedule, after)).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe('slots', () => {
  const instants = fc.integer({ min: 0, max: Date.UTC(2100, 0) });
  const zones = fc.constantFrom(...CHANGES.map(({ tz }) => tz), 'UTC', 'Asia/Kathmandu', 'Africa/Casablanca', 'Pacific/Apia');
  const patterns = fc.constantFrom(
    '*/7 * * * *', '0 0 * * *', '30 2 * * *', '15 1,2,3 * * 0', '0 12 29 2 *', '5 */6 L * *', '59 59 23 31 12 *', '*/15 2 * 3,10,11 *',
  );
  const schedules: fc.Arbitrary<Schedule> = fc.oneof(
    fc.record({ pattern: patterns, tz: zones }),
    fc.record({ every: fc.integer({ min: 1, max: 2 ** 36 }), offset: fc.integer({ min: -1e9, max: 1e9 }) }),
    fc.record({ every: fc.integer({ min: 1, max: 1e9 }), startDate: instants }),
  ).map((options) => parseSchedule(options));

  it('strictly increase', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, from) => {
        const slots = dueSlots(schedule, from, Infinity, 20);
        [from, ...slots].reduce((before, slot) => (expect(slot).toBeGreaterThan(before), slot));
      }),
    );
  });

  it('due are those of iterated nextSlot', () => {
    fc.assert(
      fc.property(schedules, instants, fc.nat({ max: 90 * DAY_MS }), fc.nat({ max: 20 }), (schedule, from, span, max) => {
        const iterated: number[] = [];
        let slot = nextSlot(schedule, from);
        for (; slot !== undefined && slot <= from + span && iterated.length < max; slot = nextSlot(schedule, slot)) iterated.push(slot);
        expect(dueSlots(schedule, from, from + span, max)).toEqual(iterated);
      }),
    );
  });

  it('leave none out between two neighbours', () => {
    fc.assert(
      fc.property(schedules, instants, fc.double({ min: 0, max: 1, noNaN: true }), (schedule, from, part) => {
        const [first, second] = dueSlots(schedule, from, Infinity, 2);
        if (first === undefined || second === undefined) return;
        expect(nextSlot(schedule, Math.floor(first + (second - first - 1) * part))).toBe(second);
      }),
    );
  });

  it('of every are aligned with the epoch, the offset or the start', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: -1e9, max: 1e9 }), instants, (every, shift, from) => {
        const aligned = (options: object): number => nextSlot(parseSchedule({ every, ...options }), from) ?? NaN;
        expect(aligned({}) % every).toBe(0);
        expect(Math.abs((aligned({ offset: shift }) - shift) % every)).toBe(0);
        expect(Math.abs((aligned({ startDate: shift }) - shift) % every)).toBe(0);
        expect(aligned({ offset: shift }) - from).toBeLessThanOrEqual(every);
      }),
    );
  });

  it('begin with a slot at the start and end with one at the end', () => {
    const every = parseSchedule({ every: 10, startDate: 1003, endDate: 1023 });
    expect(dueSlots(every, 0, Infinity, 10)).toEqual([1003, 1013, 1023]);
    const pattern = { pattern: '0 * * * *', tz: 'UTC', startDate: '2025-01-01T10:00Z', endDate: '2025-01-01T11:00Z' };
    expect(slotsOf(pattern, '2020-01-01T00:00Z', 10)).toEqual(['2025-01-01T10:00', '2025-01-01T11:00']);
  });

  it('lie between 1970 and 9999', () => {
    for (const options of [{ every: 1000 }, { pattern: '* * * * * *', tz: 'Pacific/Apia' }]) {
      const schedule = parseSchedule({ ...options, startDate: -5000 });
      expect(nextSlot(schedule, -Infinity)).toBe(0);
      expect(nextSlot(schedule, LAST_SLOT_MS - 1000)).toBe(LAST_SLOT_MS - 999);
      expect(nextSlot(schedule, LAST_SLOT_MS - 999)).toBeUndefined();
      expect(nextSlot(schedule, Infinity)).toBeUndefined();
    }
    expect(nextSlot(parseSchedule({ pattern: '0 0 29 2 *', tz: 'America/New_York' }), LAST_SLOT_MS - DAY_MS)).toBeUndefined();
    expect(nextSlot(parseSchedule({ every: 5, startDate: 8.64e15 }), 0)).toBeUndefined();
  });

  it('cannot be asked for with rubbish', () => {
    const schedule = parseSchedule({ every: 5 });
    const refused = expect.objectContaining({ code: 'INVALID_OPTION' }) as Error;
    expect(() => nextSlot(schedule, NaN)).toThrow(refused);
    expect(() => dueSlots(schedule, NaN, 0, 1)).toThrow(refused);
    expect(() => dueSlots(schedule, 0, NaN, 1)).toThrow(refused);
    for (const max of [-1, 0.5, NaN, Infinity]) expect(() => dueSlots(schedule, 0, 1, max)).toThrow(refused);
    expect(dueSlots(schedule, 0, 100, 0)).toEqual([]);
    expect(dueSlots(schedule, 100, 0, 5)).toEqual([]);
  });
});

describe('firstSlot', () => {
  it('is now with immediately, else the first slot that has not passed', () => {
    expect(firstSlot(parseSchedule({ every: 10, immediately: true }), 1003)).toBe(1003);
    expect(firstSlot(parseSchedule({ every: 10 }), 1003)).toBe(1010);
    expect(firstSlot(parseSchedule({ every: 10 }), 1010)).toBe(1010);
    expect(firstSlot(parseSchedule({ every: 10, startDate: 2005 }), 1003)).toBe(2005);
  });

  it('does not exist after the end', () => {
    expect(firstSlot(parseSchedule({ every: 10, immediately: true, endDate: 1000 }), 1003)).toBeUndefined();
    expect(firstSlot(parseSchedule({ every: 10, endDate: 1000 }), 1003)).toBeUndefined();
  });
});
