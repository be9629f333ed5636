import type { DependenciesCount, SandboxJobData, SandboxJobHost } from '../../src/sandbox/sandbox.js';

/** A job that records what its child calls, and lets a test wait for a row of its log. */
export class JobHost implements SandboxJobHost {
  readonly calls: unknown[][] = [];
  readonly #facts: SandboxJobData;
  readonly #rows: string[] = [];
  readonly #listeners = new Map<string, () => void>();
  /** What `updateProgress` rejects with, if anything. */
  refusal: Error | undefined;
  /** What `log` waits for. */
  logged: Promise<unknown> = Promise.resolve();

  constructor(name: string, data?: unknown, facts: Partial<SandboxJobData> = {}) {
    const rest = { progress: 0, attemptsMade: 0, attemptsStarted: 1, timestamp: 1000 };
    this.#facts = { id: 'job-1', name, data, opts: { attempts: 3 }, queueName: 'mail', ...rest, ...facts };
  }

  /** Resolves when the child has logged `row`. */
  async heard(row: string): Promise<void> {
    if (this.#rows.includes(row)) return;
    await new Promise<void>((resolve) => this.#listeners.set(row, resolve));
  }

  asSandbox(): SandboxJobData {
    return this.#facts;
  }

  async log(row: string): Promise<number> {
    this.calls.push(['log', row]);
    this.#rows.push(row);
    this.#listeners.get(row)?.();
    await this.logged;
    return this.#rows.length;
  }

  async updateProgress(progress: unknown): Promise<void> {
    this.calls.push(['updateProgress', progress]);
    if (this.refusal !== undefined) throw this.refusal;
  }

  async updateData(data: unknown): Promise<void> {
    this.calls.push(['updateData', data]);
  }

  async moveToDelayed(timestamp: number, token?: string): Promise<void> {
    this.calls.push(['moveToDelayed', timestamp, token]);
  }

  async moveToWait(token?: string): Promise<void> {
    this.calls.push(['moveToWait', token]);
  }

  async moveToWaitingChildren(token: string, opts?: unknown): Promise<boolean> {
    this.calls.push(['moveToWaitingChildren', token, opts]);
    return true;
  }

  async getChildrenValues(): Promise<Record<string, unknown>> {
    return { 'q:1': 12n };
  }

  async getIgnoredChildrenFailures(): Promise<Record<string, string>> {
    return { 'q:2': 'no' };
  }

  async getDependenciesCount(opts?: object): Promise<DependenciesCount> {
    this.calls.push(['getDependenciesCount', opts]);
    return { failed: 2 };
  }
}
