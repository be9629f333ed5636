import { DroverError, FlowProducer, QueueEvents, type Queue } from 'drover';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lua } from '../../src/redis/lua.generated.js';
import { openQueue, openWorker, Tally } from '../support/behaviour.js';
import { bulk, fakeServer, posingAs, type Answer } from './fake-server.js';

/** A server that means ill, or is something else than Redis: whatever it answers is understood or a typed error. */

const honest = posingAs('redis_version:7.2.0\r\n');

/** Answers scripts and the commands that getters use with `reply`, and everything else as a server would. */
function answering(reply: () => string): Answer {
  return (words) => (/^(?:evalsha|eval|h|z|x|s|l|b)/i.test(words[0] ?? '') ? reply() : honest(words));
}

const nestedReply = `${'*1\r\n'.repeat(10_000)}:1\r\n`;
const list = (count: number, item: string): string => `*${count}\r\n${item.repeat(count)}`;

const replies: [string, string][] = [
  ['a number', ':5\r\n'], ['a negative number', ':-1\r\n'], ['a number beyond 64 bits', ':99999999999999999999999\r\n'], ['a text', bulk('what?')],
  ['an empty text', bulk('')], ['nothing', '$-1\r\n'], ['no list', '*-1\r\n'], ['an empty list', '*0\r\n'], ['a status', '+OK\r\n'],
  ['a list of nothing', list(16, '$-1\r\n')], ['a list of numbers', list(16, ':7\r\n')], ['a list of texts', list(16, bulk('x'))],
  ['a list of lists', list(16, '*0\r\n')], ['a list of lists of lists', list(16, list(3, list(8, bulk('__proto__'))))],
  ['a list of huge numbers', list(16, bulk('9'.repeat(400)))], ['a list of bytes', list(16, bulk('\u0093\u0001\u0002'))],
  ['10,000 nested lists', nestedReply], ['an error of another kind', '-WHAT is this\r\n'], ['an error without words', '-\r\n'],
  ['an error that names a prototype', '-__proto__ x\r\n'], ['an error with terminal escapes', '-ERR \u001b[2J\u001b[31mred\u0007\r\n'],
  ['a redirection to a slot that does not exist', '-MOVED 99999999 127.0.0.1:1\r\n'], ['a redirection by name of a prototype', '-MOVED __proto__ __proto__:__proto__\r\n'],
  ['an error inside a list', '*2\r\n-ERR inner\r\n:1\r\n'],
];

function calls(queue: Queue): (() => Promise<unknown>)[] {
  return [
    () => queue.add('a', 1), () => queue.addBulk([{ name: 'a', data: 1, opts: { delay: 5, deduplication: { id: 'x' } } }]),
    () => queue.getJob('x'), () => queue.getJobs(), () => queue.getJobState('x'), () => queue.getJobCounts(), () => queue.getJobLogs('x'),
    () => queue.getJobSchedulers(), () => queue.getJobScheduler('x'), () => queue.upsertJobScheduler('x', { every: 5_000 }), () => queue.removeJobScheduler('x'),
    () => queue.getDependencies('x', 'processed', 0, -1), () => queue.getDeduplicationJobId('x'), () => queue.getMetrics('completed'), () => queue.getWorkers(),
    () => queue.getMeta(), () => queue.pause(), () => queue.resume(), () => queue.isPaused(), () => queue.remove('x'), () => queue.updateJobProgress('x', 1),
    () => queue.addJobLog('x', 'row'), () => queue.setGlobalConcurrency(1), () => queue.getGlobalConcurrency(), () => queue.rateLimit(5), () => queue.getRateLimitTtl(),
    () => queue.trimEvents(5), () => queue.waitUntilReady(), () => queue.getCountsPerPriority([1]),
  ];
}

const short = { commandTimeout: 300 };

async function expectTyped(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    expect(error, `${call.toString()}: ${String((error as Error).stack)}`).toBeInstanceOf(DroverError);
    expect((error as Error).message, 'what could move a terminal').not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect((error as Error).message.length).toBeLessThan(1_000);
  }
}

describe('in reply to every script and command', () => {
  test.each(replies)('%s is understood, or a typed error', async (_name, reply) => {
    const { url } = await fakeServer(answering(() => reply));
    const queue = openQueue({ connection: { url, ...short } });
    queue.on('error', () => undefined);
    await Promise.all(calls(queue).map(expectTyped));
    const flows = new FlowProducer({ connection: { url, ...short } });
    onTestFinished(() => flows.close());
    flows.on('error', () => undefined);
    await expectTyped(() => flows.add({ name: 'p', queueName: 'q', children: [{ name: 'c', queueName: 'q' }] }));
    expect(Object.keys(Object.prototype)).toEqual([]);
  }, 20_000);
});

describe('a worker and a listener', () => {
  test('survive every one of these replies, one after the other', async () => {
    let i = 0;
    const { url } = await fakeServer(answering(() => replies[i++ % replies.length]?.[1] ?? ''));
    const worker = openWorker('q', () => 1, { connection: { url, ...short }, runRetryDelay: 1, closeTimeout: 0 });
    const events = new QueueEvents('q', { connection: { url, ...short } });
    onTestFinished(() => events.close());
    const errors = new Tally<unknown>();
    worker.on('error', (error) => errors.add(error));
    events.on('error', (error) => errors.add(error));
    await errors.reached(2 * replies.length);
    await worker.close();
    for (const error of errors.seen) expect(error).toBeInstanceOf(DroverError);
  }, 30_000);
});

describe('replies without end', () => {
  const kilobyte = 'x'.repeat(1_024);

  test.each<[string, string]>([
    ['a text that is said to be very long', `$${2 ** 40}\r\n${kilobyte}`], ['a list that is said to be very long', `*${2 ** 40}\r\n:1\r\n`],
    ['a list of negative length', '*-5\r\n'], ['a length that is none', '$NaN\r\nx\r\n'], ['a type that does not exist', '?what\r\n'],
    ['bytes that are no protocol', '\u0000\u0001\u0002\r\n\r\n'], ['half a reply', '*2\r\n:1\r\n'],
  ])('%s: the call ends with a typed error, and memory stays bounded', async (_name, reply) => {
    const { url } = await fakeServer(answering(() => reply));
    const queue = openQueue({ connection: { url, ...short } });
    queue.on('error', () => undefined);
    const before = process.memoryUsage().rss;
    await expectTyped(() => queue.add('a', 1));
    await expect(queue.getJobCounts()).rejects.toBeInstanceOf(DroverError);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  }, 20_000);

  test('pushes that nobody asked for: the connection is not held up by them', async () => {
    const { url } = await fakeServer((words) => `${honest(words)}${words[0]?.toLowerCase() === 'ping' ? '>2\r\n+invalidate\r\n*0\r\n'.repeat(1_000) : ''}`);
    const queue = openQueue({ connection: { url, ...short } });
    queue.on('error', () => undefined);
    await expectTyped(() => queue.waitUntilReady());
    await expectTyped(() => queue.getJobCounts());
    await queue.close();
  });
});

test('every script has a reply that is checked: there is none without a definition', async () => {
  const { readdirSync } = await import('node:fs');
  const defined = readdirSync(new URL('../../src/redis/scripts/', import.meta.url)).map((file) => file.replace(/\.ts$/, ''));
  const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  expect(defined.map(camel).sort()).toEqual(Object.keys(lua).sort());
});
