import { type NodeProcess, spawnNode } from '../infra/processes.js';
import type { ProcessPool } from '../infra/kinds/kill-worker.js';
import type { ProducerSpec, WorkerSpec } from './spec.js';

const entries = { worker: new URL('./worker.ts', import.meta.url), producer: new URL('./producer.ts', import.meta.url) };

function start(entry: keyof typeof entries, spec: WorkerSpec | ProducerSpec, env?: Readonly<Record<string, string>>): Promise<NodeProcess> {
  return spawnNode(entries[entry], { name: spec.name, args: [JSON.stringify(spec)], ...(env ? { env } : {}) });
}

/** When a worker process was killed, in ns of CLOCK_MONOTONIC, and which. */
export interface Death {
  readonly name: string;
  readonly at: bigint;
}

/** The worker processes of a run: who dies is replaced under the same name. */
export class Fleet implements ProcessPool {
  readonly #specs = new Map<string, WorkerSpec>();
  readonly #env: Readonly<Record<string, string>> | undefined;
  #workers: NodeProcess[] = [];

  constructor(env?: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  async start(specs: readonly WorkerSpec[]): Promise<void> {
    for (const spec of specs) this.#specs.set(spec.name, spec);
    this.#workers = await Promise.all(specs.map((spec) => start('worker', spec, this.#env)));
  }

  workers(): readonly NodeProcess[] {
    return this.#workers.filter((worker) => worker.running);
  }

  async respawn(dead: NodeProcess): Promise<void> {
    const spec = this.#specs.get(dead.name);
    if (!spec) throw new Error(`nobody knows ${dead.name}`);
    const fresh = await start('worker', spec, this.#env);
    this.#workers = this.#workers.map((worker) => (worker === dead ? fresh : worker));
  }

  /** Workers that ended without being told to: each is a violation. */
  fallen(): { name: string; output: string }[] {
    return this.#workers.filter((worker) => worker.exit && worker.exit.signal !== 'SIGKILL').map(({ name, output }) => ({ name, output }));
  }

  /** Closes all workers; answers the names of those that did not come to an end. */
  async stop(timeoutMs: number): Promise<string[]> {
    const hung = await Promise.all(this.workers().map(async (worker) => {
      try {
        await worker.send('stop');
        await worker.signal('stopped', timeoutMs);
        return [];
      } catch (error) {
        return [`${worker.name}: ${String(error)}`];
      }
    }));
    return hung.flat();
  }

  async kill(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill9()));
  }
}

/** Processes that add jobs until they are told to stop. */
export class Producers {
  #processes: NodeProcess[] = [];

  async start(specs: readonly ProducerSpec[]): Promise<void> {
    this.#processes = await Promise.all(specs.map((spec) => start('producer', spec)));
  }

  all(): readonly NodeProcess[] {
    return this.#processes;
  }

  /** Lets every call under way come to its end; answers how many jobs were asked for, and who did not come to an end. */
  async stop(timeoutMs: number): Promise<{ asked: number; hung: string[] }> {
    const hung: string[] = [];
    const counts = await Promise.all(this.#processes.map(async (producer) => {
      try {
        // One that has reached its number has stopped by itself.
        await producer.send('stop').catch(() => undefined);
        return Number((await producer.signal('stopped', timeoutMs)));
      } catch (error) {
        hung.push(`${producer.name}: ${String(error)}`);
        return 0;
      }
    }));
    return { asked: counts.reduce((sum, count) => sum + count, 0), hung };
  }

  async kill(): Promise<void> {
    await Promise.all(this.#processes.map((producer) => producer.kill9()));
  }
}
