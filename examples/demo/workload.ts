import { count, duration, rate } from './format.js';
import type { Bar } from './progress.js';
import { countsOf, type AnyQueue, type Counts } from './records.js';

/** A queue, the number of jobs that it has to bring to an end, and its bar. */
export class Workload {
  readonly queue: AnyQueue;
  readonly bar: Bar;
  #startedAt = NaN;
  #counts: Counts = { waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0 };
  #done = false;

  constructor(queue: AnyQueue, total: number) {
    this.queue = queue;
    this.bar = { label: queue.name, done: 0, total, note: '' };
  }

  get finished(): number {
    return this.#counts.completed + this.#counts.failed;
  }

  /** Everything came to an end, and nothing is left to come. */
  get done(): boolean {
    return this.#done;
  }

  start(): void {
    this.#startedAt = Date.now();
  }

  async refresh(): Promise<void> {
    if (this.#done) return;
    this.#counts = await countsOf(this.queue);
    const { waiting, active, delayed } = this.#counts;
    this.#done = this.finished >= this.bar.total && waiting + active + delayed === 0;
    this.bar.done = Math.min(this.finished, this.bar.total);
    this.bar.note = this.#note();
  }

  /** What is left, for the message that nothing moves any more. */
  describe(): string {
    const left = Object.entries(this.#counts).map(([state, jobs]) => `${jobs} ${state}`);
    return `${this.queue.name}: ${left.join(', ')}`;
  }

  #note(): string {
    const elapsedMs = Date.now() - this.#startedAt;
    const { active, delayed, failed } = this.#counts;
    const dead = failed > 0 ? ` · ${count(failed)} dead` : '';
    if (this.#done) return `done in ${duration(elapsedMs)}${dead}`;
    return `${rate(this.finished / (elapsedMs / 1_000))} · ${active} active · ${delayed} delayed${dead}`;
  }
}
