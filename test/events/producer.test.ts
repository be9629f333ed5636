import { describe, expect, it } from 'vitest';
import type { QueueEventsListener } from 'drover';
import { Bench, Ear } from './open.js';

interface Listener extends QueueEventsListener {
  shipped: (args: { parcel: number; at: Date }, id: string) => void;
}

describe('QueueEventsProducer', () => {
  it('publishes events under their own names, with values as they were', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const heard = new Promise((resolve) => events.on<Listener, 'shipped'>('shipped', (args, id) => resolve([args, id])));
    await bench.producer().publishEvent({ eventName: 'shipped', parcel: 0, at: new Date(9) });
    expect(await heard).toEqual([{ parcel: 0, at: new Date(9) }, expect.stringMatching(/^\d+-\d+$/)]);
  });

  it('keeps the order of calls, each once', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents(), ['tick']);
    const producer = bench.producer();
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => producer.publishEvent({ eventName: 'tick', n })));
    await ear.untilHeard('tick', 2_500);
    expect(ear.about('tick').map(({ n }) => n)).toEqual(Array.from({ length: 2_500 }, (_, n) => n));
  });

  it('does not end waits: only a worker ends jobs', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const ear = new Ear(events);
    const job = await bench.queue().add('x', {});
    const waiting = job.waitUntilFinished(events);
    await bench.producer().publishEvent({ eventName: 'completed', jobId: job.id, returnvalue: 'fake' });
    await ear.untilHeard('completed');
    bench.worker(async () => 'real');
    expect(await waiting).toBe('real');
  });

  it('sends what was published before close', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents(), ['tick']);
    const producer = bench.producer();
    const published = producer.publishEvent({ eventName: 'tick' });
    await producer.close();
    await published;
    await ear.untilHeard('tick');
    await expect(producer.publishEvent({ eventName: 'tick' })).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('keeps the stream as long as the queue wants, or as the call says', async () => {
    const bench = new Bench();
    const queue = bench.queue({ streams: { events: { maxLen: 200 } } });
    const redis = bench.redis();
    await expect.poll(() => redis.hget(bench.key('meta'), 'maxEvents'), { interval: 5 }).toBe('200');
    const producer = bench.producer();
    for (let i = 0; i < 800; i++) await producer.publishEvent({ eventName: 'tick' });
    expect(await redis.xlen(bench.key('events'))).toBeLessThan(400);
    for (let i = 0; i < 400; i++) await producer.publishEvent({ eventName: 'tick' }, 1_000_000);
    expect(await redis.xlen(bench.key('events'))).toBeGreaterThan(500);
    await queue.close();
  });

  it.each([
    [{ eventName: '' }, 'INVALID_NAME'],
    [{ eventName: 'error' }, 'INVALID_NAME'],
    [{ eventName: 'gap' }, 'INVALID_NAME'],
    [{ eventName: 7 as unknown as string }, 'INVALID_NAME'],
    [null as unknown as { eventName: string }, 'INVALID_OPTION'],
    [{ eventName: 'x', call: () => undefined }, 'INVALID_DATA'],
  ])('refuses %j', async (event, code) => {
    await expect(new Bench().producer().publishEvent(event)).rejects.toMatchObject({ code });
  });
});
