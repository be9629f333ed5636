import { priorityOfScore, stateSets } from '../../../src/core/states.js';
import { tallyOf } from '../machine/books.js';
import { numberIn, type Columns } from '../machine/columns.js';

/** What must hold of every queue that nobody has damaged, whatever the model says. */
export function violations(queue: Columns): string[] {
  return [...placeFaults(queue), ...columnFaults(queue), ...settingFaults(queue), ...bookFaults(queue)];
}

/** Every job is in exactly one set, and nothing else is. */
function placeFaults(queue: Columns): string[] {
  const places = new Map<string, string[]>([...queue.job.keys()].map((id) => [id, []]));
  for (const set of stateSets) for (const id of queue[set].keys()) (places.get(id) ?? places.set(id, ['nowhere']).get(id))?.push(set);
  return [...places].filter(([, found]) => found.length !== 1).map(([id, found]) => `job ${id} is in ${found.join(' and ') || 'no set'}`);
}

function columnFaults(queue: Columns): string[] {
  const finished = new Set([...queue.completed.keys(), ...queue.failed.keys()]);
  const faults: string[] = [];
  const within = (column: string, ids: Iterable<string>, allowed: { has(id: string): boolean }): void => {
    for (const id of ids) if (!allowed.has(id)) faults.push(`${column} has ${id}`);
  };
  for (const column of ['state', 'history', 'progress', 'logs', 'pending'] as const) within(column, queue[column].keys(), queue.job);
  within('run', queue.run.keys(), queue.active);
  within('active', queue.active.keys(), queue.run);
  within('outcome', queue.outcome.keys(), finished);
  within('the finished', finished, queue.outcome);
  within('expire', queue.expire.keys(), finished);
  for (const [id, entry] of queue.dedup) if (typeof entry === 'object' && entry.till === 0) within(`dedup ${id}`, [entry.id], queue.job);
  for (const [id, score] of queue.wait) {
    const facts = queue.state.get(id);
    const priority = typeof facts === 'object' ? numberIn(facts, 'pr') : 0;
    if (priorityOfScore(score) !== priority || !Number.isSafeInteger(score)) faults.push(`job ${id} of priority ${priority} waits at ${score}`);
  }
  return faults;
}

function settingFaults({ rate, meta, schedules, schedule, scheduleRuns, strangers }: Columns): string[] {
  const faults = [...strangers];
  const starts = rate.reduce((sum, entry) => sum + Number(entry.split(' ')[1]), 0);
  if (starts !== Number(meta.get('rateCount') ?? 0)) faults.push(`rateCount is ${meta.get('rateCount')} of ${starts}`);
  const first = schedules.size === 0 ? undefined : String(Math.min(...schedules.values()));
  if (meta.get('nextSlot') !== first) faults.push(`nextSlot is ${meta.get('nextSlot')}, the first schedule is at ${first}`);
  if ([...schedules.keys()].sort().join() !== [...schedule.keys()].sort().join()) faults.push('schedules without a definition');
  for (const id of scheduleRuns.keys()) if (!schedules.has(id)) faults.push(`runs of ${id}, which is no schedule`);
  return faults;
}

/** Books that nobody would ever remove, and counts that do not agree with them. */
function bookFaults(queue: Columns): string[] {
  const faults = [...queue.children.keys()].filter((id) => !queue.pending.has(id) && !queue.orphans.has(id)).map((id) => `the books of ${id} are out of reach`);
  for (const id of queue.pending.keys()) {
    const tally = tallyOf(queue, id);
    if (!tally || queue.orphans.has(id)) continue;
    const counted: Record<string, number> = { open: 0, failing: 0, completed: 0, ignored: 0, failed: 0 };
    for (const entry of queue.children.get(id)?.values() ?? []) if (typeof entry === 'object') counted[entry.kind] = (counted[entry.kind] ?? 0) + 1;
    for (const [kind, count] of Object.entries(tally)) if (counted[kind] !== count) faults.push(`${id} counts ${count} ${kind} of ${counted[kind]}`);
  }
  return faults;
}
