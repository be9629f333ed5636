import type { Point } from '../lua/instrument.js';
import { without } from '../lua/instrument.js';
import { mutantsOf, slipped } from '../lua/operators.js';
import { allScenes, stepsOf, sweepManySessions } from '../scenarios.js';
import { Bench } from './bench.js';
import { Dice } from './dice.js';
import { plan } from './plan.js';
import type { Step } from './player.js';
import { verify } from './verify.js';

export interface MutationReport {
  tried: number;
  killed: number;
  /** Where they are and what they say. */
  survivors: string[];
}

interface MutationOptions {
  seed: number;
  runs: number;
  length: number;
  /** Only each n-th is tried. */
  every: number;
  /** Only those in this file. */
  file: string | undefined;
}

interface Run {
  steps: readonly Step[];
  damaged: boolean;
  hits: ReadonlySet<number>;
}

/** Statements whose loss Lua itself would tell: without them a name is unknown. */
const toldByLua = new Set(['LocalStatement', 'FunctionDeclaration']);

/** Leaves out one statement of the scripts after the other, and looks whether the runs that come by it tell. */
export function tryMissing(options: MutationOptions): Promise<MutationReport> {
  return tryAll(options, (bench) => bench.points.all.filter((point) => point.kind === 'statement' && !isTold(bench, point)).map((point) => ({
    point, place: `lua/${point.file}:${point.line}:${point.column + 1} ${point.text}`,
    changed: new Map([...bench.scripts].filter(([, { pieces }]) => pieces.some((piece) => piece.point === point)).map(([verb, script]) => [verb, without(script, point)])),
  })));
}

/** Writes one operator, number or truth value after the other wrongly. */
export function trySlips(options: MutationOptions): Promise<MutationReport> {
  return tryAll(options, ({ scripts }) => mutantsOf(scripts.values()).map(({ point, place, slips }) => ({
    point, place, changed: new Map([...scripts].flatMap(([verb, script]) => {
      const slip = slips.get(script);
      return slip ? [[verb, slipped(script, slip)] as const] : [];
    })),
  })));
}

/** A mistake in the scripts: their texts with it, by verb. */
interface Mistake {
  point: Point;
  place: string;
  changed: ReadonlyMap<string, string>;
}

async function tryAll({ seed, runs, length, every, file }: MutationOptions, mistakesIn: (bench: Bench) => Mistake[]): Promise<MutationReport> {
  const bench = await Bench.open();
  try {
    const played = await playAll(bench, { seed, runs, length });
    const mistakes = mistakesIn(bench).filter(({ point }) => file === undefined || point.file === file).filter((_, i) => i % every === seed % every);
    const survivors: string[] = [];
    for (const mistake of mistakes) if (!(await isKilled(bench, mistake, played))) survivors.push(mistake.place);
    return { tried: mistakes.length, killed: mistakes.length - survivors.length, survivors };
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
  const all = [...allScenes.map((scene) => ({ steps: stepsOf(scene), damaged: scene.damaged })), ...scripts.map((script) => ({ steps: plan(script), damaged: script.damaged }))];
  const played: Run[] = [];
  for (const { steps, damaged } of all) {
    bench.hits.clear();
    verify(steps, await bench.run(steps), damaged);
    played.push({ steps, damaged, hits: new Set(bench.hits) });
  }
  return played.sort((a, b) => a.steps.length - b.steps.length);
}

async function isKilled(bench: Bench, { point, changed }: Mistake, played: readonly Run[]): Promise<boolean> {
  for (const [verb, text] of changed) bench.use(verb, text, { guarded: true });
  await bench.load();
  try {
    for (const { steps, damaged, hits } of played) if (hits.has(point.id) && (await differs(bench, steps, damaged))) return true;
    return point.file === 'sweep.lua' && !(await sweepsAll(bench));
  } finally {
    for (const verb of changed.keys()) bench.use(verb, bench.scripts.get(verb)?.source ?? '');
    await bench.load();
  }
}

async function sweepsAll(bench: Bench): Promise<boolean> {
  try {
    const { left, cursor } = await sweepManySessions(bench);
    return left === 0 && !cursor;
  } catch {
    return false;
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
