import { apply } from '../machine/apply.js';
import { emptyColumns, type Columns } from '../machine/columns.js';
import { World } from '../machine/turn.js';
import type { Answer } from './bench.js';
import { violations } from './invariants.js';
import type { Step } from './player.js';
import { same } from './same.js';

/** Compares what Redis answered and holds after every step with the model; throws with the first step that differs. */
export function verify(steps: readonly Step[], answers: readonly Answer[], damaged: boolean): void {
  const world = new World(0);
  for (const [i, step] of steps.entries()) {
    const answer = answers[i];
    if (!answer) throw new Error('A step was not answered.');
    world.micros = step.micros;
    const expected = shown(apply(world, step.call));
    const faults = [
      ...(same(answer.reply, expected) ? [] : [`replied ${text(answer.reply)}\n    expected ${text(expected)}`]),
      ...stateFaults(world, answer.state),
      ...(damaged ? [] : [...world.queues].flatMap(([name, queue]) => violations(queue).map((fault) => `${name}: ${fault}`))),
    ];
    if (faults.length > 0) throw new Divergence(steps.slice(0, i + 1), faults);
  }
}

/** The model and Redis differ. */
export class Divergence extends Error {
  constructor(readonly steps: readonly Step[], readonly faults: readonly string[]) {
    super(`step ${steps.length}: ${text(steps.at(-1))}\n  ${faults.join('\n  ')}`);
  }
}

function stateFaults(world: World, actual: Map<string, Columns>): string[] {
  return [...new Set([...world.queues.keys(), ...actual.keys()])].flatMap((name) => {
    const [is, ought] = [actual.get(name) ?? emptyColumns(), world.queues.get(name) ?? emptyColumns()];
    return (Object.keys(ought) as (keyof Columns)[])
      .filter((column) => !same(is[column], ought[column]))
      .map((column) => `${name}.${column} is ${text(is[column])}\n    expected ${text(ought[column])}`);
  });
}

const shown = (reply: unknown): unknown => (reply === undefined ? null : reply);

export function text(value: unknown): string {
  const json = JSON.stringify(value, (_key, inner: unknown): unknown => (inner instanceof Map ? Object.fromEntries(inner) : inner instanceof Set ? [...inner] : inner)) as string | undefined;
  return json === undefined ? 'nothing' : json.length > 1500 ? `${json.slice(0, 1500)}…` : json;
}
