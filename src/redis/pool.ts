import { Connection } from './connection.js';
import { isClient, type ConnectionOptions } from './options.js';

interface Shared {
  connection: Connection;
  users: number;
}

const byOptions = new Map<string, Shared>();
const byClient = new WeakMap<object, Shared>();

/** A share in a connection; `release` it when done. The last share closes it. */
export interface ConnectionShare {
  readonly connection: Connection;
  release(): void;
}

/**
 * Everything in a process that names the same server shares one connection: options are equal when their JSON is.
 * Options that hold functions cannot be compared and get a connection of their own. `maxRetriesPerRequest` makes no
 * difference: Drover repeats calls by itself.
 */
export function share(options: ConnectionOptions): ConnectionShare {
  if (isClient(options)) return claim(byClient.get(options) ?? remember(options), () => byClient.delete(options));
  const key = fingerprint(options);
  const known = byOptions.get(key);
  const shared = known ?? { connection: new Connection(options), users: 0 };
  if (!known && key !== '') byOptions.set(key, shared);
  return claim(shared, () => byOptions.delete(key));
}

function remember(client: Exclude<ConnectionOptions, string> & object): Shared {
  const shared = { connection: new Connection(client), users: 0 };
  byClient.set(client, shared);
  return shared;
}

function claim(shared: Shared, forget: () => void): ConnectionShare {
  shared.users++;
  let released = false;
  return {
    connection: shared.connection,
    release() {
      if (released) return;
      released = true;
      if (--shared.users > 0) return;
      forget();
      shared.connection.close();
    },
  };
}

/** Equal text for equal options, or '' when they cannot be compared. */
function fingerprint(options: Exclude<ConnectionOptions, object> | object): string {
  let comparable = true;
  const text = JSON.stringify(options, (key, value: unknown) => {
    if (key === 'maxRetriesPerRequest') return undefined;
    if (typeof value === 'function') comparable = false;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return comparable as boolean ? text : '';
}
