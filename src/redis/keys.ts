/** Every key of a queue. `docs/redis-layout.md` says what each holds. */
export const keyNames = [
  'meta', 'job', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed',
  'run', 'state', 'outcome', 'history', 'progress', 'logs', 'expire',
  'sessions', 'dedup', 'outbox', 'marker', 'rate', 'events',
  'schedules', 'schedule', 'scheduleRuns', 'pending', 'orphans', 'metrics',
] as const;

export type KeyName = (typeof keyNames)[number];

/**
 * A key of the queue; `set`: one of its state sets, chosen per call; `target.…`: a key of another queue; `children`: the
 * books of the parents that the call names, a key for each.
 */
export type ScriptKey = KeyName | 'set' | 'children' | `target.${KeyName}`;

/** What a call chooses among the keys of a script. */
export interface KeyChoice {
  set?: KeyName | undefined;
  target?: QueueKeys | undefined;
  /** The ids of parents. */
  children?: readonly string[] | undefined;
}

/** Builds the keys of one queue. All carry one hash tag, so a queue lives in one slot of a Redis Cluster. */
export class QueueKeys {
  readonly prefix: string;
  readonly queue: string;
  readonly base: string;
  readonly #lists = new Map<readonly ScriptKey[], string[]>();

  constructor(prefix: string, queue: string) {
    this.prefix = prefix;
    this.queue = queue;
    this.base = `{${escaped(prefix, /\\/g)}:${escaped(queue, /[\\:]/g)}}:`;
  }

  key(name: string): string {
    return this.base + name;
  }

  /** The keys a script declares, in its order; without a choice there are no books among them. */
  list(names: readonly ScriptKey[], choice?: KeyChoice): string[] {
    if (choice !== undefined) return names.flatMap((name) => this.#chosen(name, choice));
    const known = this.#lists.get(names);
    if (known) return known;
    const keys = names.filter((name) => name !== 'children').map((name) => this.key(name));
    this.#lists.set(names, keys);
    return keys;
  }

  /** The books of one parent: a hash with an entry per child. */
  children(parent: string): string {
    return this.key(`children:${parent}`);
  }

  #chosen(name: ScriptKey, { set, target, children }: KeyChoice): string | string[] {
    if (name === 'set' && set !== undefined) return this.key(set);
    if (name === 'children' && children) return children.map((parent) => this.children(parent));
    if (name.startsWith('target.') && target) return target.key(name.slice('target.'.length));
    return this.key(name);
  }
}

/** Colons are allowed in both parts; escaping those of the second keeps `a` + `b:c` apart from `a:b` + `c`. */
function escaped(part: string, special: RegExp): string {
  return part.replace(special, '\\$&');
}
