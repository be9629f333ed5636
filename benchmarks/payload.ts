/** The data of one job. `body` is present only in the rows that measure large payloads. */
export interface JobData {
  readonly to: string;
  readonly subject: string;
  readonly template: string;
  readonly userId: number;
  readonly body?: string;
}

/** One job to be added, with the options that a row may need. */
export interface NewJob {
  readonly data: JobData;
  readonly delayMs?: number;
  readonly priority?: number;
}

/** An e-mail job: about 110 bytes as JSON. */
export function email(index: number): JobData {
  return {
    to: `user-${String(index).padStart(7, '0')}@example.com`,
    subject: 'Your invoice is ready',
    template: 'invoice',
    userId: index,
  };
}

/** `count` e-mail jobs; `options` may give each a delay or a priority. */
export function emails(count: number, options?: (index: number) => Omit<NewJob, 'data'>): NewJob[] {
  return Array.from({ length: count }, (_, index) => ({ data: email(index), ...options?.(index) }));
}

/** `count` jobs whose body is `bytes` long. */
export function largeJobs(count: number, bytes: number): NewJob[] {
  const body = 'Lorem ipsum dolor sit amet. '.repeat(Math.ceil(bytes / 28)).slice(0, bytes);
  return Array.from({ length: count }, (_, index) => ({ data: { ...email(index), body } }));
}

/** `items` in slices of at most `size`. */
export function* chunks<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
