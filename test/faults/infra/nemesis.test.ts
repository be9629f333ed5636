import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/servers/guardian.js';
import { HistoryWriter, readHistory } from './history.js';
import { NotHealedError, planFaults, runNemesis, type Fault, type NemesisOptions } from './nemesis.js';

/** A fault that writes down what happens to it. */
function fake(kind: string, diary: string[], flaws: { inject?: boolean; healsAt?: number } = {}): Fault {
  return {
    kind,
    inject: (random) => {
      if (flaws.inject) return Promise.reject(new Error('cannot'));
      diary.push(`${kind} begins`);
      let tries = 0;
      const heal = (): void => {
        tries += 1;
        if (tries < (flaws.healsAt ?? 1)) throw new Error('not yet');
        diary.push(`${kind} ends`);
      };
      return Promise.resolve({ detail: { drawn: random.integer(1, 1_000_000) }, heal });
    },
  };
}

const options = (faults: Fault[], more: Partial<NemesisOptions> = {}): NemesisOptions => ({
  seed: 5,
  faults: faults.map((fault) => ({ fault })),
  durationMs: 60_000,
  most: 6,
  wait: () => Promise.resolve(),
  ...more,
});

describe('runNemesis', () => {
  it('does one fault after the other and heals each before the next', async () => {
    const diary: string[] = [];
    const { records } = await runNemesis(options([fake('a', diary), fake('b', diary)]));
    expect(records).toHaveLength(6);
    expect(diary).toEqual(records.flatMap(({ kind }) => [`${kind} begins`, `${kind} ends`]));
    expect(records.every(({ at, until }) => at < until)).toBe(true);
    expect(records.slice(1).every(({ at }, index) => at >= (records[index]?.until ?? at))).toBe(true);
  });

  it('replays kinds and choices from the seed', async () => {
    const choices = async (seed: number): Promise<unknown> => {
      const { records } = await runNemesis(options([fake('a', []), fake('b', [])], { seed }));
      return records.map(({ kind, detail }) => [kind, detail]);
    };
    expect(await choices(1)).toEqual(await choices(1));
    expect(await choices(1)).not.toEqual(await choices(2));
  });

  it('keeps to the weights, and to the times that it was given', () => {
    const faults = [{ fault: fake('rare', []), weight: 1 }, { fault: fake('often', []), weight: 9 }];
    const counts = { rare: 0, often: 0 };
    let planned = 0;
    for (const { fault, gapMs, holdMs } of planFaults({ seed: 1, faults, gapMs: [3, 5], holdMs: [7, 9] })) {
      counts[fault.kind as 'rare' | 'often'] += 1;
      expect(gapMs >= 3 && gapMs <= 5 && holdMs >= 7 && holdMs <= 9).toBe(true);
      planned += 1;
      if (planned === 1_000) break;
    }
    expect(counts.rare).toBeGreaterThan(60);
    expect(counts.rare).toBeLessThan(140);
  });

  it('names what it skips and why', async () => {
    const diary: string[] = [];
    const never: Fault = { ...fake('never', diary), unavailable: () => 'no such thing here' };
    const { records, skipped } = await runNemesis(options([never, fake('a', diary)]));
    expect(skipped).toEqual([{ kind: 'never', reason: 'no such thing here' }]);
    expect(new Set(records.map(({ kind }) => kind))).toEqual(new Set(['a']));
  });

  it('writes start and end into the history', async () => {
    const folder = temporaryDirectory('nemesis');
    const history = new HistoryWriter(folder, 'nemesis');
    await runNemesis(options([fake('a', [])], { history, most: 1 }));
    const phases: unknown[] = [];
    for await (const event of readHistory(folder)) if (event.type === 'fault') phases.push(event.value);
    expect(phases).toEqual([
      { kind: 'a', phase: 'start' },
      { kind: 'a', phase: 'end', detail: { drawn: expect.any(Number) as number } },
    ]);
  });

  it('stops early with the fault at hand healed', async () => {
    const diary: string[] = [];
    const stop = new AbortController();
    let waits = 0;
    const wait = (): Promise<void> => {
      waits += 1;
      if (waits === 2) stop.abort();
      return Promise.resolve();
    };
    const healAll = (): void => void diary.push('all healed');
    await runNemesis(options([fake('a', diary)], { signal: stop.signal, wait, healAll }));
    expect(diary).toEqual(['a begins', 'a ends', 'all healed']);
  });

  it('begins nothing once the time is up', async () => {
    const { records } = await runNemesis(options([fake('a', [])], { durationMs: 0 }));
    expect(records).toEqual([]);
  });

  it('goes on after a fault that could not be done', async () => {
    const { records } = await runNemesis(options([fake('a', [], { inject: true })], { most: 2 }));
    expect(records.map(({ error }) => error)).toEqual(['cannot', 'cannot']);
  });

  it('tries again to heal, and says so if it cannot', async () => {
    const diary: string[] = [];
    await runNemesis(options([fake('a', diary, { healsAt: 3 })], { most: 1 }));
    expect(diary).toEqual(['a begins', 'a ends']);
    const hopeless = runNemesis(options([fake('b', diary, { healsAt: 4 })], { most: 1, healAll: () => void diary.push('all') }));
    await expect(hopeless).rejects.toThrow(NotHealedError);
    expect(diary.at(-1)).toBe('all');
  });
});
