import { expect, test } from 'vitest';
import type { Betterment } from './betterments.js';

interface AnyBench {
  plain(observed: unknown): unknown;
  close(): Promise<void>;
}

interface Run<B extends AnyBench> {
  scenarios: Record<string, (bench: B) => Promise<unknown>>;
  /** The other library first, then Drover. */
  open: [() => B, () => B];
  betterments: readonly Betterment[];
}

/**
 * Runs each scenario on both libraries at once and compares what was seen. Where Drover means to differ, a betterment
 * says so, and makes of what the other library showed what Drover has to show.
 */
export function runScenarios<B extends AnyBench>({ scenarios, open, betterments }: Run<B>): void {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, async () => {
      const [theirs, ours] = await Promise.all(open.map(async (make) => {
        const bench = make();
        try {
          return bench.plain(await scenario(bench));
        } finally {
          await bench.close();
        }
      }));
      const found = differences(theirs, ours);
      const told = betterments.filter(({ scenario: of }) => of === name);
      const untold = found.filter(({ path }) => !told.some(({ at }) => at.test(path)));
      expect(untold).toEqual([]);
      expect(told.filter(({ at }) => !found.some(({ path }) => at.test(path)))).toEqual([]);
    });
  }
}

export interface Seen {
  /** Where in what the scenario answers, e.g. `opts.attempts` or `[1].delay`. */
  path: string;
  theirs: unknown;
  ours: unknown;
}

/** The places at which two observations differ. */
export function differences(theirs: unknown, ours: unknown, path = ''): Seen[] {
  if (!isNode(theirs) || !isNode(ours) || Array.isArray(theirs) !== Array.isArray(ours)) {
    return Object.is(theirs, ours) || (isNode(theirs) && isNode(ours) && JSON.stringify(theirs) === JSON.stringify(ours)) ? [] : [{ path, theirs, ours }];
  }
  return [...new Set([...Object.keys(theirs), ...Object.keys(ours)])]
    .flatMap((key) => differences((theirs as Record<string, unknown>)[key], (ours as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`));
}

function isNode(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
