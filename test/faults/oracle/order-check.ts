import { limits, limitedOf, schedule } from '../workload/spec.js';
import type { CheckOptions, Reading } from './history-check.js';
import type { Life } from './tape.js';

type Complain = (invariant: string, what: string) => void;

/** How many of each kind were checked: jobs in their turn, starts under a limit, slots, deduplication ids, parents. */
export interface Covered {
  readonly turns: number;
  readonly limited: number;
  readonly slots: number;
  readonly alike: number;
  readonly parents: number;
}

/** What is promised of jobs among each other: their order, limits, schedules, deduplication, flows. */
export function checkOrder(read: Reading, options: CheckOptions, complain: Complain): Covered {
  const honest = options.clockOffsetMs !== undefined;
  return {
    turns: checkTurns(read, options, complain),
    limited: honest ? checkRate(read, options, complain) : 0,
    slots: honest ? checkSlots(options, complain) : 0,
    alike: checkAlike(read, options, complain),
    parents: checkFlows(read, options, complain),
  };
}

/** I5: what goes to the end of the line is first handed out in the order in which it was added. */
function checkTurns(read: Reading, { lives }: CheckOptions, complain: Complain): number {
  const line: { id: string; life: Life }[] = [];
  for (const tag of read.plain) {
    for (const id of read.idsOf.get(tag) ?? []) {
      const life = lives.get(id);
      if (life && life.taken > 0) line.push({ id, life });
    }
  }
  line.sort((a, b) => a.life.added - b.life.added);
  let before = line[0];
  for (const one of line) {
    if (before && one.life.taken < before.life.taken) complain('I5', `${one.id} was handed out before ${before.id}, which was added before it`);
    before = one;
  }
  return line.length;
}

/** I8: in no window of the limit's length more starts than it allows, by the time under which each was handed out. */
function checkRate(read: Reading, { queue }: CheckOptions, complain: Complain): number {
  const starts = new Set<string>();
  for (const [id, runs] of read.runs) for (const run of runs) if (run.queue === limitedOf(queue)) starts.add(`${run.epoch} ${id}`);
  const times = [...starts].map((start) => Number(start.slice(0, start.indexOf(' ')))).sort((a, b) => a - b);
  for (const [i, at] of times.entries()) {
    const before = times[i - limits.max];
    if (before !== undefined && at - before < limits.durationMs) complain('I8', `${limits.max + 1} starts within ${at - before} ms, where ${limits.max} in ${limits.durationMs} ms are allowed`);
  }
  return times.length;
}

/** I9: every slot of the schedule from its first to its last has made one run. */
function checkSlots({ lives }: CheckOptions, complain: Complain): number {
  const slots = [...lives.keys()].filter((id) => id.startsWith(`repeat:${schedule.id}:`)).map((id) => Number(id.slice(id.lastIndexOf(':') + 1))).sort((a, b) => a - b);
  for (const [i, slot] of slots.entries()) {
    const before = slots[i - 1];
    if (before !== undefined && slot - before !== schedule.everyMs) complain('I9', `slot ${slot} of ${schedule.id} came ${slot - before} ms after ${before}, not ${schedule.everyMs} ms`);
  }
  return slots.length;
}

/** Of the jobs with one deduplication id, one is added only after the one before has ended. */
function checkAlike(read: Reading, { lives }: CheckOptions, complain: Complain): number {
  for (const [dedup, tags] of read.alike) {
    const ids = [...tags].flatMap((tag) => [...(read.idsOf.get(tag) ?? [])]);
    const known = ids.flatMap((id) => lives.get(id) ?? []).sort((a, b) => a.added - b.added);
    for (const [i, life] of known.entries()) {
      const before = known[i - 1];
      if (before && (before.ended === 0 || before.ended > life.added)) complain('I2', `two jobs of the deduplication id ${dedup} were there at once`);
    }
  }
  return read.alike.size;
}

/** A parent begins once all its children have ended, and hears each of them. */
function checkFlows(read: Reading, { lives }: CheckOptions, complain: Complain): number {
  for (const what of read.early) complain('flows', what);
  for (const [parent, children] of read.families) {
    const began = [...(read.idsOf.get(parent) ?? [])].flatMap((id) => read.runs.get(id)?.[0]?.at ?? []).at(0);
    if (began === undefined) continue;
    for (const child of children) {
      const [id] = read.idsOf.get(child) ?? [];
      const life = id === undefined ? undefined : lives.get(id);
      const firstAt = id === undefined ? undefined : read.runs.get(id)?.[0]?.at;
      if (life?.ends !== 1 || firstAt === undefined || firstAt > began) complain('flows', `${parent} began before its child ${child} had run`);
    }
  }
  return read.families.size;
}
