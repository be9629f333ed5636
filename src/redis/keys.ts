/** Every key of a queue. `docs/redis-layout.md` says what each holds. */
export const keyNames = [
  'meta', 'job', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed',
  'run', 'state', 'outcome', 'history', 'progress', 'logs', 'expire',
  'sessions', 'dedup', 'outbox', 'marker', 'rate', 'events',
  'schedules', 'schedule', 'scheduleRuns', 'pending', 'children', 'receipts', 'metrics',
] as const;

export type KeyName = (typeof keyNames)[number];

/** A key by name, or `set`: one of the state sets, chosen per call. */
export type ScriptKey = KeyName | 'set';

/** Builds the keys of one queue. All carry one hash tag, so a queue lives in one slot of a Redis Cluster. */
export class QueueKeys {
  readonly prefix: string;
  readonly queue: string;
  readonly base: string;
  readonly #lists = new Map<readonly ScriptKey[], string[]>();

  constructor(prefix: string, queue: string) {
    this.prefix = prefix;
    this.queue = queue;
    this.base = `{${prefix}:${queue}}:`;
  }

  key(name: string): string {
    return this.base + name;
  }

  /** The keys a script declares, in its order; `set` stands for the given state's set. */
  list(names: readonly ScriptKey[], set?: KeyName): string[] {
    if (set !== undefined) return names.map((name) => this.key(name === 'set' ? set : name));
    const known = this.#lists.get(names);
    if (known) return known;
    const keys = names.map((name) => this.key(name));
    this.#lists.set(names, keys);
    return keys;
  }
}
