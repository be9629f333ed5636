import type { Call } from '../machine/calls.js';
import { encode } from '../wire/encode.js';
import { emptyColumns, type Columns } from '../machine/columns.js';
import { fileOf, scripts } from '../wire/scripts.js';
import type { Bench } from './bench.js';
import { Dice } from './dice.js';
import { plan } from './plan.js';
import type { Step } from './player.js';
import { same } from './same.js';

/** What a script does when one of its keys is of another type than it should be. */
export interface Meeting {
  /** `recover` */
  verb: string;
  /** `state`, `target.job` */
  key: string;
  /** `kept`: the script refused and changed nothing. `torn`: it refused after it had written. `passed`: it did not meet the key. */
  outcome: 'kept' | 'torn' | 'passed';
  /** The columns that a torn call had written. */
  written: string[];
  steps: readonly Step[];
}

interface RetypedOptions {
  seed: number;
  runs: number;
  length: number;
  /** How many keys are tried in a run. */
  tries: number;
}

/** How often each script meets such a key at least, however seldom runs call it. */
const least = 3;

/** Random runs, in which one key of the last call becomes a string before that call; and more of them for the scripts that these seldom call. */
export async function meetRetyped(bench: Bench, { seed, runs, length, tries }: RetypedOptions): Promise<Meeting[]> {
  const dice = new Dice(seed);
  const met = new Map<string, number>(Object.keys(scripts).filter((verb) => verb !== 'plain').map((verb) => [verb, 0]));
  const meetings: Meeting[] = [];
  const isMissing = ({ call: { verb } }: Step): boolean => (met.get(verb) ?? least) < least;
  const tryOne = async (steps: readonly Step[], step: Step | undefined): Promise<void> => {
    if (!step || step.call.verb === 'plain') return;
    const { keys } = await encode(step.call);
    met.set(step.call.verb, (met.get(step.call.verb) ?? 0) + 1);
    meetings.push(await meet(bench, steps.slice(0, steps.indexOf(step)), step, dice.from(keys) ?? ''));
  };
  for (let run = 0; run < runs; run++) {
    const steps = randomSteps(dice, length);
    for (let i = 0; i < tries; i++) await tryOne(steps, rarest(dice, steps, met));
  }
  // The rarest script is called in one run of thirteen: the bound is never reached while all scripts are called at all.
  for (let more = 0; more < 5000 && [...met.values()].some((times) => times < least); more++) {
    const steps = randomSteps(dice, length);
    await tryOne(steps, dice.from(steps.filter(isMissing)));
  }
  return meetings;
}

const randomSteps = (dice: Dice, length: number): Step[] => plan({ damaged: false, dice: Array.from({ length: 10 + dice.below(length) }, () => dice.below(2 ** 31)) });

/** Of a few steps the one whose script was tried least. */
function rarest(dice: Dice, steps: readonly Step[], met: ReadonlyMap<string, number>): Step | undefined {
  const tried = ({ call }: Step): number => met.get(call.verb) ?? 0;
  return dice.some(steps, 8, 8).sort((a, b) => tried(a) - tried(b))[0];
}

/** Plays the steps, makes a string of the key, and makes the call. */
export async function meet(bench: Bench, before: readonly Step[], step: Step, key: string): Promise<Meeting> {
  const [, queue = '', column = ''] = /^\{m:([^}]*)\}:([^]*)$/.exec(key) ?? [];
  const write: Call = { verb: 'plain', queue, key: column, command: 'SET', args: ['retyped'] };
  const steps = [...before, { call: write, micros: step.micros }, step];
  const answers = await bench.run(steps);
  const [was, is] = answers.slice(-2);
  const changed = differences(was?.state ?? new Map<string, Columns>(), is?.state ?? new Map<string, Columns>());
  const refused = isWrongType(is?.reply);
  const name = (queue === step.call.queue ? '' : 'target.') + (column.startsWith('children:') ? 'children' : column);
  return { verb: step.call.verb, key: name, outcome: !refused ? 'passed' : changed.length === 0 ? 'kept' : 'torn', written: refused ? changed : [], steps };
}

function isWrongType(reply: unknown): boolean {
  if (typeof reply !== 'object' || reply === null || !('error' in reply) || reply.error === 'STALE') return false;
  if (!/WRONGTYPE/.test(String(reply.error))) throw new Error(`another error than that of a wrong type: ${String(reply.error)}`);
  return true;
}

function differences(was: Map<string, Columns>, is: Map<string, Columns>): string[] {
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((queue) => {
    const [before, after] = [was.get(queue) ?? emptyColumns(), is.get(queue) ?? emptyColumns()];
    return (Object.keys(before) as (keyof Columns)[]).filter((column) => !same(before[column], after[column])).map((column) => (queue === 'q' ? column : `${queue}.${column}`));
  });
}

/** By script and key: how many calls were refused and kept everything, and what torn ones had written. */
export function summaryOf(meetings: readonly Meeting[]): Map<string, { kept: number; torn: number; passed: number; written: Set<string> }> {
  const summary = new Map<string, { kept: number; torn: number; passed: number; written: Set<string> }>();
  for (const { verb, key, outcome, written } of meetings) {
    const at = `${verb} ${key}`;
    const known = summary.get(at) ?? { kept: 0, torn: 0, passed: 0, written: new Set<string>() };
    summary.set(at, known);
    known[outcome] += 1;
    for (const column of written) known.written.add(column);
  }
  return summary;
}

/** The keys that tear a script: a row each. */
export function tornRows(summary: ReturnType<typeof summaryOf>): { script: string; key: string; written: string }[] {
  return [...summary].filter(([, { torn }]) => torn > 0).sort(([a], [b]) => (a < b ? -1 : 1)).map(([at, { written }]) => {
    const [verb = '', key = ''] = at.split(' ');
    const columns = new Set([...written].map((column) => column.replace(/^d\./, '')));
    return { script: fileOf(verb), key, written: [...columns].sort().map((column) => `\`${column}\``).join(', ') };
  });
}
