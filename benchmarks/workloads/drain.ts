import type { Costs } from '../measure.js';
import { chunks, type JobData, type NewJob } from '../payload.js';
import type { PeerQueue } from '../peers/peer.js';
import type { Round } from '../round.js';

export const bulkSize = 1_000;

/** Resolves when it has been hit as often as expected. */
export class Countdown {
  readonly done: Promise<void>;
  lastAt = 0;
  #left: number;
  #finish: () => void = () => undefined;

  constructor(expected: number) {
    this.#left = expected;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  readonly hit = (): void => {
    if (--this.#left !== 0) return;
    this.lastAt = performance.now();
    this.#finish();
  };
}

/** Adds all jobs, one bulk call after another. */
export async function fill(queue: PeerQueue, jobs: readonly NewJob[], size = bulkSize): Promise<void> {
  for (const chunk of chunks(jobs, size)) await queue.addBulk(chunk);
}

/** Adds all jobs one by one, with at most `inFlight` of them unacknowledged. */
export async function addEach(queue: PeerQueue, jobs: readonly NewJob[], inFlight: number): Promise<void> {
  let next = 0;
  const producer = async (): Promise<void> => {
    for (let job = jobs[next++]; job; job = jobs[next++]) await queue.add(job);
  };
  await Promise.all(Array.from({ length: inFlight }, producer));
}

const ignore = (): void => undefined;

/** Processes `jobs` jobs that are already in the queue, from the worker's start to the last `completed` event. */
export async function drain(
  round: Round,
  queue: PeerQueue,
  { jobs, handler = ignore, ...settings }: { jobs: number; concurrency: number; delays?: boolean; handler?: (data: JobData) => void },
): Promise<Costs> {
  const completed = new Countdown(jobs);
  const worker = await round.worker(queue, { ...settings, handler, onCompleted: completed.hit });
  return round.probe.measure(jobs, async () => {
    const startedAt = performance.now();
    worker.start();
    await completed.done;
    return completed.lastAt - startedAt;
  });
}
