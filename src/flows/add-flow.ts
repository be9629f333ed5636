import { DurabilityError } from '../core/errors.js';
import { packNewFacts } from '../core/job-record.js';
import { adoptStanding, enterChildren, takenPlaces } from '../queue/adoption.js';
import { newFacts } from '../queue/draft.js';
import { addAnyway } from '../queue/enqueuer.js';
import { Unconfirmed } from '../queue/unconfirmed.js';
import { pageSize } from '../queue/job-store.js';
import { plant, type ChildEntry, type Planting } from '../redis/scripts/plant.js';
import { everyJob, type PlannedJob } from './flow-plan.js';
import type { FlowQueue } from './flow-queue.js';

/** About how many bytes of records one call carries. */
const mostBytes = 1 << 20;

/**
 * Writes planned flows. Answers, per job that was there already, the job that stands in its place.
 *
 * 1. The parent that a root may have is told to expect it.
 * 2. Parents are planted from the top, each with all its children in its books; so no job can end, or even begin, before
 *    everyone who waits for it knows of it, however many calls a level takes.
 * 3. Leaves are added the ordinary way.
 *
 * Whatever is cut off half-way can be repeated: what is there already stays as it is. When nobody repeats it, the
 * parents find their missing children after a while, and fail.
 *
 * A flow that is not confirmed is added all the same; then rejects DurabilityError, at the end.
 */
export async function addFlows(roots: readonly PlannedJob[]): Promise<Map<PlannedJob, string>> {
  const jobs = everyJob(roots);
  const standing = new Map<PlannedJob, string>();
  const unconfirmed = new Unconfirmed();
  for (const [queue, group] of byQueue(roots)) await enterChildren(queue.adding, group.map(({ draft }) => draft));
  for (const level of levels(jobs.filter(isParent))) {
    await Promise.all(byQueue(level).map(([queue, group]) => plantAll(queue, group, standing, unconfirmed)));
  }
  await Promise.all(byQueue(jobs.filter((job) => !isParent(job))).map(([queue, leaves]) => addLeaves(queue, leaves, standing, unconfirmed)));
  for (const [queue, group] of byQueue([...standing.keys()])) {
    const drafts = group.map(({ draft }) => draft);
    await adoptStanding(queue.jobs, takenPlaces(drafts, group.map((job) => standing.get(job) ?? '')));
  }
  if (unconfirmed.shortfall) throw new DurabilityError(unconfirmed.ids, unconfirmed.shortfall);
  return standing;
}

const isParent = ({ children }: PlannedJob): boolean => children.length > 0;

function levels(parents: readonly PlannedJob[]): PlannedJob[][] {
  const found: PlannedJob[][] = [];
  for (const job of parents) (found[job.path.depth] ??= []).push(job);
  return found.filter(Boolean);
}

function byQueue(jobs: readonly PlannedJob[]): [FlowQueue, PlannedJob[]][] {
  const groups = new Map<FlowQueue, PlannedJob[]>();
  for (const job of jobs) {
    const group = groups.get(job.queue);
    if (group) group.push(job);
    else groups.set(job.queue, [job]);
  }
  return [...groups];
}

async function plantAll(
  { adding: { connection, keys } }: FlowQueue, parents: readonly PlannedJob[], standing: Map<PlannedJob, string>, unconfirmed: Unconfirmed,
): Promise<void> {
  for (const batch of batches(parents)) {
    const planted = await connection.run(plant, keys, { parents: batch.map(({ planting }) => planting) });
    const shortfall = connection.shortfallOf(planted);
    if (shortfall) unconfirmed.note(batch.filter(({ isFirst }) => isFirst).map(({ job }) => job.draft.request.id), shortfall);
    for (const [i, { job, isFirst }] of batch.entries()) {
      if (isFirst && planted[i] === 'existed') standing.set(job, job.draft.request.id);
    }
  }
}

interface Part {
  job: PlannedJob;
  planting: Planting;
  isFirst: boolean;
}

/** Calls of at most 1,000 children and 1 MiB. A parent of more children takes several, one after the other. */
function batches(parents: readonly PlannedJob[]): Part[][] {
  const made: Part[][] = [];
  let room = { children: 0, bytes: 0 };
  for (const part of parents.flatMap(partsOf)) {
    const children = part.planting.children.length;
    const bytes = part.planting.record?.length ?? 0;
    if (made.length === 0 || children > room.children || bytes > room.bytes) {
      made.push([]);
      room = { children: pageSize, bytes: mostBytes };
    }
    made.at(-1)?.push(part);
    room = { children: room.children - children, bytes: room.bytes - bytes };
  }
  return made;
}

function partsOf(job: PlannedJob): Part[] {
  const { request, opts, parent } = job.draft;
  const entries = job.children.map(entryOf);
  const facts = packNewFacts({ ...newFacts(opts, parent), delayMs: opts.delay });
  return Array.from({ length: Math.ceil(entries.length / pageSize) }, (_, i) => {
    const children = entries.slice(i * pageSize, (i + 1) * pageSize);
    const made = i === 0 ? { record: request.record, facts, name: request.name } : {};
    return { job, isFirst: i === 0, planting: { id: request.id, ...made, children } };
  });
}

function entryOf({ queue: { jobs: { keys } }, draft }: PlannedJob): ChildEntry {
  return { prefix: keys.prefix, queue: keys.queue, id: draft.request.id };
}

async function addLeaves(
  { enqueuer }: FlowQueue, leaves: readonly PlannedJob[], standing: Map<PlannedJob, string>, unconfirmed: Unconfirmed,
): Promise<void> {
  const { standing: answers, unconfirmed: error } = await addAnyway(enqueuer, leaves.map(({ draft }) => draft.request));
  if (error) unconfirmed.note(error.jobIds, error.shortfall);
  for (const [i, leaf] of leaves.entries()) if (answers[i]) standing.set(leaf, answers[i]);
}
