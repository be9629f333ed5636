import { onTestFinished } from 'vitest';
import Bull from 'drover/bull';
import { redisUrl, uniqueName } from '../../support/behaviour.js';

/** A queue of its own name, removed from Redis and closed when the test ends. */
export function openBull<T = unknown>(opts: Bull.QueueOptions = {}, name = uniqueName('bull')): Bull.Queue<T> {
  const queue = new Bull<T>(name, redisUrl, opts);
  onTestFinished(async () => {
    await queue.close(true);
    const cleaner = new Bull(name, redisUrl, opts.prefix === undefined ? {} : { prefix: opts.prefix });
    await cleaner.obliterate({ force: true }).catch(() => undefined);
    await cleaner.close();
  });
  return queue;
}

/** A second queue of the same name, as another process would have it. */
export function openAnother<T = unknown>(queue: Bull.Queue<T>, opts: Bull.QueueOptions = {}): Bull.Queue<T> {
  const other = new Bull<T>(queue.name, redisUrl, opts);
  onTestFinished(() => other.close(true));
  return other;
}

/** The arguments of the next event for which `wanted` holds. */
export function next(queue: Bull.Queue, event: string, wanted: (...args: any[]) => boolean = () => true): Promise<any[]> { // eslint-disable-line @typescript-eslint/no-explicit-any -- listeners of Bull's
  return new Promise((resolve) => {
    const listener = (...args: unknown[]): void => {
      if (!wanted(...args)) return;
      queue.off(event, listener);
      resolve(args);
    };
    queue.on(event, listener);
  });
}

/** Listens to a `global:` event; resolves when nothing is missed any more. */
export async function listening(queue: Bull.Queue, event: string, listener: (...args: any[]) => void = () => undefined): Promise<void> { // eslint-disable-line @typescript-eslint/no-explicit-any -- listeners of Bull's
  const registered = new Promise<void>((resolve) => void queue.once(`registered:${event}`, () => resolve()));
  queue.on(event, listener);
  await registered;
}

/** Resolves when `count` jobs have ended here, well or badly. */
export function ended(queue: Bull.Queue, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const listener = (): void => {
      if (--left === 0) resolve();
    };
    queue.on('completed', listener).on('failed', listener);
  });
}
