/**
 * Wall clocks. A wall time is what the clock on the wall shows, as the milliseconds that the same date and time would
 * have in UTC; instant = wall − offset. Only instants from 1970 to 9999 are asked for.
 */
const DAY_MS = 86_400_000;
const FORMAT = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;

const zones = new Map<string, TimeZone>();

/**
 * The zone of an IANA name such as `Europe/Berlin`, in any case.
 *
 * @returns undefined when this Node.js does not know the name. Bare offsets such as `+02:00` are no names.
 */
export function timeZone(name: string): TimeZone | undefined {
  if (!/^[a-z][a-z0-9_+/-]{0,63}$/i.test(name)) return undefined;
  const known = zones.get(name.toLowerCase());
  if (known) return known;
  try {
    const zone = new TimeZone(new Intl.DateTimeFormat('en-US', { ...FORMAT, timeZone: name }));
    zones.set(name.toLowerCase(), zone);
    return zone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The name of this process's own zone. */
export function localZoneName(): string {
  const { timeZone: name } = Intl.DateTimeFormat().resolvedOptions();
  return timeZone(name) ? name : 'UTC';
}

/** One zone's relation of instants and wall times. Assumes that a zone changes its clocks at most once in two days. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;

  constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  /** Wall time minus instant, in milliseconds, at `instant`. */
  offsetAt(instant: number): number {
    const second = Math.floor(instant / 1000) * 1000;
    const [month = NaN, day = NaN, year = NaN, hour = NaN, minute = NaN, seconds = NaN] = this.#format
      .format(second)
      .split(/\D+/)
      .map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  }

  /** The instant in (`from`, `to`] at which the offset of `to` begins; the two must have different offsets. */
  changeBetween(from: number, to: number): number {
    const after = this.offsetAt(to);
    let [low, high] = [Math.floor(from / 1000), Math.ceil(to / 1000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle * 1000) === after) high = middle;
      else low = middle;
    }
    return high * 1000;
  }

  /** The first instant that shows `wall`; if the clocks skip it, the first instant after that gap. Never decreasing. */
  firstInstantOf(wall: number): number {
    const before = this.offsetAt(wall - DAY_MS);
    const after = this.offsetAt(wall + DAY_MS);
    if (before === after) return wall - before;
    const change = this.changeBetween(wall - DAY_MS, wall + DAY_MS);
    if (wall - before < change) return wall - before;
    return Math.max(wall - after, change);
  }
}
