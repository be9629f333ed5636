import type { JobData, NewJob } from '../payload.js';

/** What not every engine can do. A row that needs a missing feature prints '–'. */
export type Feature = 'single' | 'bulk' | 'delay' | 'priority' | 'flow' | 'processes' | 'idle';

/** An engine under measurement, behind the smallest interface that all rows can be written against. */
export interface Peer {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  version(): Promise<string>;
  open(target: Target): Promise<PeerQueue>;
}

export interface Target {
  readonly url: string;
  readonly queue: string;
}

export interface PeerQueue {
  add(job: NewJob): Promise<unknown>;
  /** The fastest documented way to add many; where there is none, concurrent `add`s. */
  addBulk(jobs: readonly NewJob[]): Promise<unknown>;
  /** One parent and its children, in one call. */
  addFlow?(children: readonly NewJob[]): Promise<unknown>;
  /** A connected worker that takes nothing before `start`. */
  worker(settings: WorkerSettings): Promise<PeerWorker>;
  close(): Promise<unknown>;
}

export interface WorkerSettings {
  readonly concurrency: number;
  /** There are delayed jobs: some engines have to be told. */
  readonly delays?: boolean;
  readonly handler: (data: JobData) => void;
  /** Called once per `completed` event of the engine. */
  readonly onCompleted: () => void;
}

export interface PeerWorker {
  start(): void;
  close(): Promise<unknown>;
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
}

/** The parts of a Redis URL, in the form that every client's options accept. */
export function address(url: string): RedisAddress {
  const { hostname, port, pathname, username, password } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

/** Engines report trouble as events; a silent one would look like a slow one. */
export function reportError(peer: string): (error: unknown) => void {
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    if (!/connection is closed/i.test(message)) process.stderr.write(`${peer}: ${message}\n`);
  };
}
