import { Queue, Worker, type Job } from 'drover';

interface EmailData {
  to: string;
  subject: string;
}

const connection = { host: '127.0.0.1', port: 6379 };

// As Bull and BullMQ type them: data, result, name.
export async function classic(): Promise<string | undefined> {
  const queue = new Queue<EmailData, number, 'send-email'>('mail', { connection });
  const job = await queue.add('send-email', { to: 'a@example.com', subject: 'Hello' }, { attempts: 3 });
  // @ts-expect-error a subject is missing
  await queue.add('send-email', { to: 'a@example.com' });
  const worker = new Worker<EmailData, number, 'send-email'>('mail', async (each: Job<EmailData, number, 'send-email'>) => each.data.subject.length, { connection });
  await worker.close();
  await queue.close();
  return job.id;
}

// A map of job names.
export async function mapped(): Promise<string> {
  const queue = new Queue<{ 'send-email': { data: EmailData; result: number } }>('mail', { connection });
  const job = await queue.add('send-email', { to: 'a@example.com', subject: 'Hello' });
  // @ts-expect-error there is no such job
  await queue.add('send-fax', { to: 'a@example.com', subject: 'Hello' });
  await queue.close();
  return job.data.to;
}
