import { describe, expect, it } from 'vitest';
import type { Gap, QueueEvents } from 'drover';
import { Bench, Ear } from './open.js';
import { openProxy } from './open-proxy.js';
import { until } from '../support/servers/until.js';

function gaps(events: QueueEvents): { told: Gap[]; first: Promise<Gap> } {
  const told: Gap[] = [];
  const first = new Promise<Gap>((resolve) => events.on('gap', (gap) => {
    told.push(gap);
    resolve(gap);
  }));
  return { told, first };
}

function names(ear: Ear): unknown[] {
  return ear.about('added').map(({ name }) => name);
}

describe('the position in the stream', () => {
  it('is fixed when waitUntilReady resolves: nothing after it is missed', async () => {
    for (let i = 0; i < 20; i++) {
      const bench = new Bench();
      const queue = bench.queue();
      await queue.add('before', {});
      const events = bench.events();
      const ear = new Ear(events);
      await events.waitUntilReady();
      await queue.add('after', {});
      await ear.untilHeard('added');
      expect(names(ear)[0]).toBe('after');
    }
  });

  it('can be given: the events after it come, and no others', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    const first = new Ear(await bench.readyEvents());
    for (const name of ['a', 'b', 'c']) await queue.add(name, {});
    await first.untilHeard('waiting', 3);
    const idOfA = first.heard[0]?.id ?? '';

    const events = bench.events({ lastEventId: idOfA });
    const { told } = gaps(events);
    const second = new Ear(events);
    await queue.add('d', {});
    await second.untilHeard('added', 3);
    expect(names(second)).toEqual(['b', 'c', 'd']);
    expect(told).toEqual([]);
  });

  it('may be that of any event of a call, also between two that share an entry', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    const first = new Ear(await bench.readyEvents());
    await queue.addBulk(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
    await queue.add('d', {});
    await first.untilHeard('waiting', 4);
    const all = first.heard.map(({ id, ...event }) => ({ id, ...event }));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const [i, { id }] of all.entries()) {
      const events = bench.events({ lastEventId: id });
      const { told } = gaps(events);
      const ear = new Ear(events);
      await queue.add('end', {});
      await until('the end was heard', () => names(ear).includes('end'));
      const rest = ear.heard.slice(0, all.length - i - 1);
      expect(rest).toEqual(all.slice(i + 1));
      expect(told).toEqual([]);
      await events.close();
    }
  });

  it.each(['0', '0-0', '1'])('%s means everything that the stream has', async (lastEventId) => {
    const bench = new Bench();
    const queue = bench.queue();
    for (const name of ['a', 'b']) await queue.add(name, {});
    const ear = new Ear(bench.events({ lastEventId }));
    await ear.untilHeard('added', 2);
    expect(names(ear)).toEqual(['a', 'b']);
  });

  it('may be a time: what happened since then comes', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    await queue.add('a', {});
    const redis = bench.redis();
    const [last] = (await redis.xrevrange(bench.key('events'), '+', '-', 'COUNT', 1)).map(([id]) => id);
    const time = Number(last?.split('-')[0]) + 1;
    await redis.xadd(bench.key('events'), `${time + 5}-0`, 'moved', Buffer.from([0x91, 0x91, 0xa6, ...Buffer.from('paused')]));
    const events = bench.events({ lastEventId: String(time) });
    const { told } = gaps(events);
    const ear = new Ear(events);
    await ear.untilHeard('paused');
    expect(names(ear)).toEqual([]);
    expect(told).toEqual([]);
  });
});

describe('after a lost connection', () => {
  it('reading goes on where it was', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const { told } = gaps(events);
    const ear = new Ear(events);
    const queue = bench.queue();
    for (let round = 0; round < 3; round++) {
      await queue.add(`before ${round}`, {});
      await bench.cutReader();
      await queue.add(`after ${round}`, {});
    }
    await ear.untilHeard('added', 6);
    expect(names(ear)).toEqual(['before 0', 'after 0', 'before 1', 'after 1', 'before 2', 'after 2']);
    expect(told).toEqual([]);
  });

  it('a gap is told when the stream was trimmed meanwhile, and what is there comes', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    await queue.add('a', {});
    const redis = bench.redis();
    const [first] = (await redis.xrange(bench.key('events'), '-', '+')).map(([id]) => id);
    for (const name of ['b', 'c', 'd']) await queue.add(name, {});
    await redis.xtrim(bench.key('events'), 'MAXLEN', 1);

    const events = bench.events({ lastEventId: first ?? '' });
    const gap = gaps(events);
    const ear = new Ear(events);
    expect(await gap.first).toEqual({ lastEventId: first, reason: 'trimmed' });
    await ear.untilHeard('added');
    expect(names(ear)).toEqual(['d']);
    expect(gap.told).toHaveLength(1);
  });

  it('a gap is told when the stream is shorter than what was read, and later events come', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents({ blockingTimeout: 100 });
    const gap = gaps(events);
    const ear = new Ear(events);
    const queue = bench.queue();
    const redis = bench.redis();
    // As after a failover to a replica that had not got everything: the same stream, but behind.
    await redis.xadd(bench.key('events'), '9999999999999-0', 'moved', Buffer.from([0x91, 0x91, 0xa6, ...Buffer.from('paused')]));
    await ear.untilHeard('paused');
    await redis.del(bench.key('events'));
    expect(await gap.first).toEqual({ lastEventId: '9999999999999-0', reason: 'rewound' });
    await queue.add('later', {});
    await ear.untilHeard('added');
    expect(names(ear)).toEqual(['later']);
  });

  it('no gap is told when everything that was trimmed had been read', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents({ blockingTimeout: 50 });
    const { told } = gaps(events);
    const ear = new Ear(events);
    const queue = bench.queue();
    await queue.add('a', {});
    await ear.untilHeard('waiting');
    await queue.trimEvents(0);
    await bench.cutReader();
    await bench.untilReading();
    await queue.add('b', {});
    await ear.untilHeard('added', 2);
    expect(told).toEqual([]);
  });
});

describe('a connection that has died without a word', () => {
  it('is found out, and reading goes on where it was', async () => {
    const proxy = await openProxy();
    const bench = new Bench();
    const events = await bench.readyEvents({ connection: { host: '127.0.0.1', port: proxy.port }, blockingTimeout: 100 });
    const ear = new Ear(events);
    await bench.untilReading();
    proxy.freezeReaders();
    const queue = bench.queue();
    await queue.add('a', {});
    await ear.untilHeard('added');
    expect(names(ear)).toEqual(['a']);
    expect(proxy.frozen).toBe(1);
    await events.close();
    await proxy.close();
  });
});

describe('an entry that cannot be read', () => {
  it('is reported once and passed over', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const redis = bench.redis();
    const id = await redis.xadd(bench.key('events'), '*', 'done', 'a\nb', 'results', 'rubbish');
    await bench.queue().add('x', {});
    await ear.untilHeard('waiting');
    expect(names(ear)).toEqual(['x']);
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'CORRUPT_DATA', message: expect.stringContaining(String(id)) })]);
  });
});

describe('closing', () => {
  it('is prompt while a read blocks, and ends run', async () => {
    const bench = new Bench();
    const events = bench.events({ autorun: false, blockingTimeout: 5_000 });
    const running = events.run();
    await events.waitUntilReady();
    await bench.untilReading();
    // Another block that begins later and is shorter by a second: closing must not wait for either.
    const otherBlock = bench.redis().blpop(bench.key('nothing'), 4);
    otherBlock.catch(() => undefined);
    const closed = events.close().then(() => running).then(() => 'closed');
    expect(await Promise.race([closed, otherBlock])).toBe('closed');
    await expect.poll(() => bench.readers(), { interval: 5 }).toEqual([]);
    await expect(events.waitUntilReady()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(events.run()).rejects.toMatchObject({ code: 'CLOSED' });
    await events.close();
    expect(bench.errors).toEqual([]);
  });

  it('is prompt before anything was read, and when Redis is not there', async () => {
    const bench = new Bench();
    await bench.events().close();
    const away = bench.events({ connection: { host: '127.0.0.1', port: 1 } });
    const ready = away.waitUntilReady();
    ready.catch(() => undefined);
    await away.close();
    await expect(ready).rejects.toMatchObject({ name: expect.stringMatching(/ClosedError|RedisError/) });
  });
});
