import { Queue, Worker, type Job, type JobOf, type Processor, type StandardSchemaV1 } from 'drover';

/* eslint-disable @typescript-eslint/no-unused-vars -- values stand here for their types */

/** Type tests: `tsc` compiles this file; what is marked as an error has to be one. Nothing here runs. */

interface Email {
  to: string;
}
interface Receipt {
  at: number;
}
interface Jobs {
  send: { data: Email; result: Receipt };
  purge: { data: { olderThanMs: number }; result: number };
  ping: { data: null };
}

declare const connection: string;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : [never]): void {
  // The types say it all.
}

export async function aMapOfJobsNarrowsTheQueue(): Promise<void> {
  const queue = new Queue<Jobs>('mails', { connection });
  const sent = await queue.add('send', { to: 'ann' });
  same<typeof sent.data, Email>();
  same<typeof sent.returnvalue, Receipt>();
  same<typeof sent.name, 'send'>();
  same<Awaited<ReturnType<typeof queue.addAndWait<'purge'>>>, number>();
  await queue.add('ping', null);
  // @ts-expect-error -- no such name
  await queue.add('sned', { to: 'ann' });
  // @ts-expect-error -- the data of another name
  await queue.add('send', { olderThanMs: 1 });
  // @ts-expect-error -- the data of another name, in bulk
  await queue.addBulk([{ name: 'purge', data: { to: 'ann' } }]);
  const job = await queue.getJob('1');
  if (job?.name === 'purge') same<typeof job.data, { olderThanMs: number }>();
  queue.on('waiting', (waiting) => same<typeof waiting.name, 'send' | 'purge' | 'ping'>());
}

export function aMapOfJobsNarrowsTheWorker(): void {
  const worker = new Worker<Jobs>('mails', {
    send: async (job) => {
      same<typeof job.data, Email>();
      return { at: job.timestamp };
    },
    purge: (job, _token, signal) => (signal?.aborted ? 0 : job.data.olderThanMs),
    ping: () => undefined,
  }, { connection });
  worker.on('completed', (job) => {
    if (job.name === 'send') same<typeof job.returnvalue, Receipt>();
  });
  new Worker<Jobs>('mails', async (job) => {
    if (job.name !== 'send') return 0;
    same<typeof job.data, Email>();
    return { at: 1 };
  }, { connection });
  // A handler for the rest is enough.
  new Worker<Jobs>('mails', { send: () => ({ at: 1 }), '*': () => undefined }, { connection });
  // @ts-expect-error -- purge has no handler
  new Worker<Jobs>('mails', { send: () => ({ at: 1 }), ping: () => undefined }, { connection });
  // @ts-expect-error -- send answers a Receipt
  new Worker<Jobs>('mails', { send: () => 'sent', purge: () => 1, ping: () => undefined }, { connection });
  same<JobOf<Jobs, unknown, 'send'>['data'], Email>();
}

export function dataThatLooksLikeAMapIsData(
  lists: Queue<{ data: 1 }[]>, texts: Queue<string>, nothing: Queue<null>, numbers: Queue<Record<string, number>>,
): void {
  same<Parameters<typeof lists.add>[1], { data: 1 }[]>();
  same<Parameters<typeof texts.add>[1], string>();
  same<Parameters<typeof nothing.add>[1], null>();
  same<Parameters<typeof numbers.add>[1], Record<string, number>>();
}

export async function bullmqsParametersMeanTheSame(): Promise<void> {
  const queue = new Queue<Email, Receipt, 'send'>('mails', { connection });
  const job = await queue.add('send', { to: 'ann' });
  same<typeof job, Job<Email, Receipt, 'send'>>();
  // @ts-expect-error -- no such name
  await queue.add('purge', { to: 'ann' });
  // @ts-expect-error -- not the data
  await queue.add('send', { from: 'ann' });
  const ofJobs = new Queue<Job<Email, Receipt>>('mails', { connection });
  same<Awaited<ReturnType<typeof ofJobs.add>>['data'], Email>();
  const handler: Processor<Email, Receipt> = async ({ data }) => ({ at: data.to.length });
  const worker = new Worker<Email, Receipt>('mails', handler, { connection });
  worker.on('completed', ({ data }, receipt) => {
    same<typeof data, Email>();
    same<typeof receipt, Receipt>();
  });
  const inferred = new Worker('mails', async (each: Job<Email>) => each.data.to.length, { connection });
  inferred.on('completed', ({ data }) => same<typeof data, Email>());
  const untyped = new Queue('mails', { connection });
  await untyped.add('anything', { at: 'all' });
}

export function schemasAreStandardSchemas(schema: StandardSchemaV1<Email>): void {
  new Queue<Jobs>('mails', { connection, schemas: { send: schema } });
  new Worker<Jobs>('mails', null, { connection, schemas: { send: schema }, validateOnTake: true });
  // @ts-expect-error -- a function is none
  new Queue<Jobs>('mails', { connection, schemas: { send: (value: unknown) => value } });
}
