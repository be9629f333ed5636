import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { perJob, type Costs } from './measure.js';
import type { Round } from './round.js';
import type { Reply, Request } from './worker-process.js';

const script = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
const closeLimitMs = 10_000;

/** Worker processes that are started once and then serve one round after another. */
export class WorkerPool {
  private constructor(private readonly children: readonly ChildProcess[]) {}

  static async start(processes: number): Promise<WorkerPool> {
    const children = Array.from({ length: processes }, () => fork(script));
    await Promise.all(children.map((child) => once(child, 'spawn')));
    return new WorkerPool(children);
  }

  /** Processes `jobs` jobs of the round's queue, from the common start to the last completion in any process. */
  async drain(round: Round, { jobs, concurrency }: { jobs: number; concurrency: number }): Promise<Costs> {
    await this.#prepare(round, { concurrency });
    let stopped: readonly Reply[] = [];
    const stop = async (): Promise<void> => {
      if (stopped.length === 0) stopped = await this.#ask({ type: 'stop' }, 'stopped');
    };
    round.atEnd(stop);

    const before = await round.probe.snapshot();
    const startedAtMs = performance.timeOrigin + performance.now();
    const lastAtMs = await this.#completed(jobs);
    const after = await round.probe.snapshot();
    await stop();
    const nodeCpuUs = stopped.reduce((sum, reply) => sum + (reply.type === 'stopped' ? reply.nodeCpuUs : 0), 0);
    return { ...perJob(jobs, lastAtMs - startedAtMs, before, after), nodeCpuUs: nodeCpuUs / jobs };
  }

  /** Lets the processes work on the round's queue until its end. `started` hears when each handler began. */
  async serve(round: Round, { concurrency, started }: { concurrency: number; started: (atMs: number) => void }): Promise<void> {
    const listener = (reply: Reply): void => {
      if (reply.type === 'started') started(reply.atMs);
    };
    await this.#prepare(round, { concurrency, tellStarts: true });
    for (const child of this.children) child.on('message', listener).send({ type: 'start' } satisfies Request);
    round.atEnd(async () => {
      await this.#ask({ type: 'stop' }, 'stopped');
      for (const child of this.children) child.off('message', listener);
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.children.map(async (child) => {
        if (child.exitCode !== null) return;
        const exited = once(child, 'exit');
        const killer = setTimeout(() => child.kill('SIGKILL'), closeLimitMs);
        child.disconnect();
        await exited;
        clearTimeout(killer);
      }),
    );
  }

  async #prepare(round: Round, settings: { concurrency: number; tellStarts?: boolean }): Promise<void> {
    const target = { url: round.url, queue: round.queueName };
    await this.#ask({ type: 'prepare', peer: round.peer.name, target, ...settings }, 'prepared');
  }

  /** Sends `request` to all and waits until each has given the expected reply. */
  async #ask(request: Request, expected: Reply['type']): Promise<Reply[]> {
    const replies = this.children.map((child) => replyOf(child, expected));
    for (const child of this.children) child.send(request);
    return Promise.all(replies);
  }

  /** Starts all workers and resolves with the time of the last completion. */
  #completed(jobs: number): Promise<number> {
    const latest = new Map<ChildProcess, { completed: number; lastAtMs: number }>();
    return new Promise((resolve) => {
      const listeners = this.children.map((child) => {
        const listener = (reply: Reply): void => {
          if (reply.type !== 'progress') return;
          latest.set(child, reply);
          const all = [...latest.values()];
          if (all.reduce((sum, { completed }) => sum + completed, 0) < jobs) return;
          for (const [other, registered] of listeners) other.off('message', registered);
          resolve(Math.max(...all.map(({ lastAtMs }) => lastAtMs)));
        };
        child.on('message', listener);
        return [child, listener] as const;
      });
      for (const child of this.children) child.send({ type: 'start' } satisfies Request);
    });
  }
}

function replyOf(child: ChildProcess, expected: Reply['type']): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      child.off('message', onMessage).off('exit', onExit);
      finish();
    };
    const onExit = (): void => settle(() => reject(new Error('a worker process has died')));
    const onMessage = (reply: Reply): void => {
      if (reply.type === 'error') settle(() => reject(new Error(reply.message)));
      if (reply.type === expected) settle(() => resolve(reply));
    };
    child.on('message', onMessage).on('exit', onExit);
  });
}
