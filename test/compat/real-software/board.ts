import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FlowProducer, Queue, Worker } from 'drover';
import Bull from 'drover/bull';
import { redisUrl } from '../../support/behaviour.js';
import { until } from '../../support/servers/until.js';
import { project, startProgram } from './program.js';

export type Kind = 'bullmq' | 'bull';

/** `get /api/queues`, … as bull-board itself declares them; those of its pages come last. */
export function declaredRoutes(): { api: string[]; pages: string[] } {
  interface Route {
    method: string | string[];
    route: string | string[];
  }
  const installed = createRequire(join(project, 'package.json'));
  const { appRoutes, buildHistoryRoutes } = installed('@bull-board/api/dist/routes.js') as {
    appRoutes: { api: Route[]; entryPoint: Route };
    buildHistoryRoutes: (provider: object, capabilities: object) => Route[];
  };
  const named = ({ method, route }: Route): string[] => [method].flat().flatMap((verb) => [route].flat().map((path) => `${verb} ${path}`));
  const history = buildHistoryRoutes({}, { hasUsage: true, canPurge: true, hasLatency: true });
  return { api: [...appRoutes.api, ...history].flatMap(named).sort(), pages: named(appRoutes.entryPoint).sort() };
}

export interface Answer {
  status: number;
  /** Parsed, if it is JSON. */
  body: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- whatever the board answers
}

/** A board with two queues, one seen by each adapter, for every name. */
export class Board {
  readonly #program;
  #url = '';

  constructor(names: readonly string[]) {
    this.#program = startProgram('board.js', [], { QUEUES: names.join(' ') });
  }

  async listening(): Promise<this> {
    this.#url = await this.#program.line();
    return this;
  }

  get url(): string {
    return this.#url;
  }

  /** Calls a route, with its parameters filled in. */
  async call(route: string, params: Record<string, string> = {}, body?: object): Promise<Answer> {
    const [method = '', pattern = ''] = route.split(' ');
    const path = pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? name));
    const query = new URLSearchParams(Object.entries(params).filter(([name]) => !pattern.includes(`:${name}`)));
    const answer = await fetch(`${this.#url}${path}?${query.toString()}`, {
      method: method.toUpperCase(),
      ...(method === 'get' ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text };
  }

  stage(name: string, kind: Kind): Stage {
    return new Stage(this, `${name}-${kind}`, kind, this.#program.prefix);
  }

  /** Lets the server end by itself. Answers how it ended, and what it said of errors. */
  async close(): Promise<{ code: number | null; errors: string }> {
    this.#program.endInput();
    const { code, errors } = await this.#program.ended;
    return { code, errors };
  }
}

/** One queue of the board: filled by the library that its adapter is for, looked at through Drover. */
export class Stage {
  readonly queue: Queue;
  readonly #classic: Bull.Queue | undefined;
  readonly #worker: Worker;
  readonly #flows: FlowProducer;
  #running: Worker | undefined;

  constructor(readonly board: Board, readonly name: string, readonly kind: Kind, prefix: string) {
    const opts = { connection: redisUrl, prefix };
    this.queue = new Queue(name, opts);
    this.#worker = new Worker(name, null, { ...opts, autorun: false });
    this.#flows = new FlowProducer(opts);
    if (kind === 'bull') this.#classic = new Bull(name, redisUrl, { prefix });
  }

  call(route: string, params: Record<string, string> = {}, body?: object): Promise<Answer> {
    return this.board.call(route, { queueName: this.name, ...params }, body);
  }

  /** What the board's list of queues says of this one. */
  async listed(status?: string): Promise<Answer['body']> {
    const { body } = await this.board.call('get /api/queues', { activeQueue: this.name, ...(status && { status }) });
    return (body as { queues: { name: string }[] }).queues.find(({ name }) => name === this.name);
  }

  async add(name: string, data: unknown = {}, opts: { delay?: number; priority?: number; timestamp?: number } = {}): Promise<string> {
    const job = await (this.#classic ?? this.queue).add(name, data, opts);
    return String(job.id);
  }

  /** Takes the next job, as a worker does. */
  async take() {
    const job = await this.#worker.getNextJob('token', { block: false });
    if (!job) throw new Error('There is no job to take.');
    return job;
  }

  async addFailed(reason: string): Promise<string> {
    const id = await this.add('failing');
    await (await this.take()).moveToFailed(new Error(reason), 'token', false);
    return id;
  }

  async addCompleted(result: unknown): Promise<string> {
    const id = await this.add('working');
    await (await this.take()).moveToCompleted(result, 'token', false);
    return id;
  }

  /** A parent that waits for a delayed child in the same queue; only users of BullMQ have such. */
  async addParent(opts: { timestamp?: number } = {}): Promise<string> {
    const queueName = this.name;
    const { job } = await this.#flows.add({ name: 'parent', queueName, opts, children: [{ name: 'child', queueName, opts: { delay: 60_000 } }] });
    return job.id;
  }

  /** A schedule that is due within the hour. */
  async addSchedule(): Promise<string> {
    const [pattern, tz] = ['0 * * * *', 'Europe/Berlin'];
    if (!this.#classic) {
      await this.queue.upsertJobScheduler('clock', { pattern, tz }, { name: 'hourly', data: { of: 'the hour' } });
      return 'clock';
    }
    await this.#classic.add('hourly', { of: 'the hour' }, { repeat: { cron: pattern, tz } });
    const [known] = await this.#classic.getRepeatableJobs();
    return String(known?.key);
  }

  /** bull-board adds one to what Bull says. */
  shownAttempts(made: number): number {
    return this.kind === 'bull' ? made + 1 : made;
  }

  /** Lets a worker of Drover's wait for jobs. */
  async startWorker(name: string): Promise<void> {
    this.#running = new Worker(this.name, () => undefined, { ...this.#worker.opts, autorun: true, name });
    await until('the worker waits', async () => (await this.queue.getWorkersCount()) > 0);
  }

  /** Lets a finished job have ended a minute earlier. */
  async age(set: 'completed' | 'failed', id: string): Promise<string> {
    await this.queue.getBackend().client.zincrby(this.queue.toKey(set), -60_000, id);
    return id;
  }

  /** The state of a job; Bull knows no `prioritized`. */
  async state(id: string): Promise<string> {
    const state = await this.queue.getJobState(id);
    return this.kind === 'bull' && state === 'prioritized' ? 'waiting' : state;
  }

  async close(): Promise<void> {
    await Promise.all([this.#worker.close(), this.#running?.close()]);
    await this.#classic?.close();
    await this.#flows.close();
    await this.queue.obliterate({ force: true });
    await this.queue.close();
  }
}
