import type { EventEmitter } from 'node:events';

/** What a program saw, as plain data in which nothing is left that differs from run to run. */
export function plain(value: unknown, names: ReadonlyMap<string, string>): unknown {
  const text = (raw: string): string => {
    let said = raw;
    for (const [name, as] of names) said = said.replaceAll(name, as);
    said = said.replaceAll(/\b1\d{12}\b/g, '<time>').replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>');
    return said;
  };
  const walk = (each: unknown): unknown => {
    if (typeof each === 'number') return each > 1e12 && each < 1e13 ? '<time>' : each;
    if (typeof each === 'string') return text(each);
    if (each instanceof Error) return { error: each.name, message: text(each.message) };
    if (Array.isArray(each)) return each.map(walk);
    if (typeof each === 'object' && each !== null) {
      return Object.fromEntries(Object.entries(each).filter(([, inner]) => inner !== undefined && typeof inner !== 'function').map(([key, inner]) => [text(key), walk(inner)]));
    }
    return each;
  };
  return walk(value);
}

/** The value that a call answers, or what it throws. */
export async function attempt(call: () => unknown): Promise<unknown> {
  try {
    return { value: await call() };
  } catch (error) {
    return { thrown: error instanceof Error ? error.message : error };
  }
}

/** Whether a call is accepted, without what it answers or says. */
export async function accepted(call: () => unknown): Promise<boolean> {
  try {
    await call();
    return true;
  } catch {
    return false;
  }
}

/** The arguments of the `count`-th event from now on. */
export function once<Args extends unknown[] = unknown[]>(emitter: Pick<EventEmitter, 'on' | 'off'>, event: string, count = 1): Promise<Args> {
  let left = count;
  return new Promise((resolve) => {
    const listener = (...args: unknown[]): void => {
      if (--left > 0) return;
      emitter.off(event, listener);
      resolve(args as Args);
    };
    emitter.on(event, listener);
  });
}
