import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { FlowProducer, Queue, QueueEvents, type ConnectionOptions } from 'drover';
import { finished, idleWorkers, openQueue, openWorker, refusal } from '../support/behaviour.js';
import { certificatesUnavailable, makeCertificates, type Certificates } from '../support/servers/certificates.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis, type StartRedisOptions } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';

let ours: Certificates;
let others: Certificates;
beforeAll(async () => {
  if (certificatesUnavailable() === undefined) [ours, others] = await Promise.all([makeCertificates(), makeCertificates()]);
});

async function secureServer(options: StartRedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis({ tls: ours, password: 'secret/word', ...options });
  onTestFinished(() => server.stop());
  return server;
}

const at = ({ port }: RedisServer): { host: string; port: number } => ({ host: 'localhost', port });

/** A refusal must come soon, not when the patience for an outage is over. */
const impatient = { commandTimeout: 1_500 };

describe.skipIf(certificatesUnavailable() !== undefined)('a server with TLS and a password', () => {
  test.each<[string, (server: RedisServer) => ConnectionOptions]>([
    ['options', (server) => ({ ...at(server), password: 'secret/word', tls: { ca: ours.ca } })],
    ['a rediss URL beside options', (server) => ({ url: `rediss://:secret%2Fword@localhost:${server.port}`, tls: { ca: ours.ca } })],
    ['a certificate of the client', (server) => ({ ...at(server), password: 'secret/word', tls: { ca: ours.ca, cert: ours.client.cert, key: ours.client.key } })],
  ])('is worked with through and through, given %s', async (name, connectionTo) => {
    const server = await secureServer();
    const connection = connectionTo(server);
    if (name.startsWith('a cert')) await (await server.control()).config('SET', 'tls-auth-clients', 'yes');
    const queue = openQueue({ connection });
    const worker = openWorker(queue, () => 'ran');
    const events = new QueueEvents(queue.name, { connection });
    const flows = new FlowProducer({ connection });
    onTestFinished(async () => void (await Promise.all([events.close(), flows.close()])));
    await events.waitUntilReady();
    await until('the worker blocks', async () => (await idleWorkers(queue)) === 1);
    const told = new Promise<string>((resolve) => events.on('completed', ({ jobId }) => resolve(jobId)));
    const job = await queue.add('a', 1);
    expect((await finished(worker, job.id)).returnvalue).toBe('ran');
    expect(await told).toBe(job.id);
    const { job: parent } = await flows.add({ name: 'p', queueName: queue.name, children: [{ name: 'c', queueName: queue.name }] });
    await finished(worker, parent.id);
    const durable = new Queue(queue.name, { connection, durability: 'fsynced' });
    onTestFinished(() => durable.close());
    expect(await refusal(() => durable.add('b', 2))).toMatchObject({ code: 'DURABILITY_UNAVAILABLE' });
  });

  test.each<[string, object]>([
    ['signed by somebody else', { tls: { ca: 'others' } }], ['for another name', { tls: { ca: 'ours', servername: 'example.org' } }], ['of nobody we know', { tls: {} }],
  ])('whose certificate is %s is not spoken to', async (_name, { tls }: { tls?: { ca?: string } }) => {
    const server = await secureServer();
    const ca = tls?.ca === undefined ? {} : { ca: tls.ca === 'ours' ? ours.ca : others.ca };
    const queue = openQueue({ connection: { ...at(server), password: 'secret/word', tls: { ...tls, ...ca }, ...impatient } });
    const errors: Error[] = [];
    queue.on('error', (error) => errors.push(error));
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'REDIS_UNAVAILABLE', outcomeKnown: true });
    expect(errors[0]).toMatchObject({ code: 'REDIS_UNAVAILABLE', message: expect.stringMatching(/certificate|altnames|self/i) });
    expect((await server.info('commandstats')).has('cmdstat_evalsha')).toBe(false);
  });

  test('that wants another password refuses with a typed error, which does not show it', async () => {
    const server = await secureServer();
    const queue = openQueue({ connection: { ...at(server), password: 'wrong-word', tls: { ca: ours.ca }, ...impatient } });
    const errors: Error[] = [];
    queue.on('error', (error) => errors.push(error));
    const refused = await refusal(() => queue.add('a', 1));
    expect(refused).toMatchObject({ code: 'REDIS_DENIED' });
    expect(JSON.stringify([refused.message, ...errors.map(({ message }) => message)])).not.toContain('wrong-word');
  });

  test('that wants a certificate of the client, and gets none, is not worked with', async () => {
    const server = await secureServer();
    await (await server.control()).config('SET', 'tls-auth-clients', 'yes');
    const queue = openQueue({ connection: { ...at(server), password: 'secret/word', tls: { ca: ours.ca }, ...impatient } });
    queue.on('error', () => undefined);
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: expect.stringMatching(/REDIS_UNAVAILABLE|OUTCOME_UNKNOWN/) });
  });
});
