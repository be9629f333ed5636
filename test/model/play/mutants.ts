import type { Point } from '../lua/instrument.js';
import { without } from '../lua/instrument.js';
import { rareScenes, scenes, stepsOf } from '../scenarios.js';
import { Bench } from './bench.js';
import { Dice } from './dice.js';
import { plan } from './plan.js';
import type { Step } from './player.js';
import { verify } from './verify.js';

export interface MutationReport {
  tried: number;
  killed: number;
  survivors: Point[];
}

interface Run {
  steps: readonly Step[];
  damaged: boolean;
  hits: ReadonlySet<number>;
}

/** Statements whose loss Lua itself would tell: without them a name is unknown. */
const toldByLua = new Set(['LocalStatement', 'FunctionDeclaration']);

/**
 * Leaves out one statement of the scripts after the other, and looks whether the runs that come by it tell. `every`: only
 * each n-th statement is tried.
 */
export async function tryMutants({ seed, runs, length, every, onTried }: {
  seed: number; runs: number; length: number; every: number; onTried?: (point: Point, killed: boolean) => void;
}): Promise<MutationReport> {
  const bench = await Bench.open();
  try {
    const played = await playAll(bench, { seed, runs, length });
    const points = bench.points.all.filter((point) => point.kind === 'statement' && !isTold(bench, point)).filter((_, i) => i % every === 0);
    const survivors: Point[] = [];
    for (const point of points) {
      const killed = await isKilled(bench, point, played);
      onTried?.(point, killed);
      if (!killed) survivors.push(point);
    }
    return { tried: points.length, killed: points.length - survivors.length, survivors };
  } finally {
    await bench.close();
  }
}

function isTold(bench: Bench, point: Point): boolean {
  return [...bench.scripts.values()].some(({ pieces }) => pieces.some((piece) => piece.point === point && toldByLua.has(piece.type)));
}

/** Runs with the scripts as they are, each with the places it comes by. Short ones come first. */
async function playAll(bench: Bench, { seed, runs, length }: { seed: number; runs: number; length: number }): Promise<Run[]> {
  const dice = new Dice(seed);
  const scripts = Array.from({ length: runs }, (_, i) => ({ damaged: i % 3 === 0, dice: Array.from({ length: 10 + dice.below(length) }, () => dice.below(2 ** 31)) }));
  const all = [...[...scenes, ...rareScenes].map(({ calls, damaged }) => ({ steps: stepsOf(calls), damaged })), ...scripts.map((script) => ({ steps: plan(script), damaged: script.damaged }))];
  const played: Run[] = [];
  for (const { steps, damaged } of all) {
    bench.hits.clear();
    verify(steps, await bench.run(steps), damaged);
    played.push({ steps, damaged, hits: new Set(bench.hits) });
  }
  return played.sort((a, b) => a.steps.length - b.steps.length);
}

async function isKilled(bench: Bench, point: Point, played: readonly Run[]): Promise<boolean> {
  const changed = [...bench.scripts].filter(([, { pieces }]) => pieces.some((piece) => piece.point === point));
  for (const [verb, script] of changed) bench.use(verb, without(script, point), { guarded: true });
  await bench.load();
  try {
    for (const { steps, damaged, hits } of played) if (hits.has(point.id) && (await differs(bench, steps, damaged))) return true;
    return false;
  } finally {
    for (const [verb, { source }] of changed) bench.use(verb, source);
    await bench.load();
  }
}

async function differs(bench: Bench, steps: readonly Step[], damaged: boolean): Promise<boolean> {
  try {
    verify(steps, await bench.run(steps), damaged);
    return false;
  } catch {
    return true;
  }
}
