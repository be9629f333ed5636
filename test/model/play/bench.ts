import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';
import type { RawReply } from '../../../src/redis/script.js';
import { startRedis } from '../../support/servers/start-redis.js';
import type { RedisServer } from '../../support/servers/redis-server.js';
import { harnessed, plainCommand } from '../lua/harness.js';
import { instrument, Points, type Instrumented } from '../lua/instrument.js';
import type { Columns } from '../machine/columns.js';
import { encode, type Encoded } from '../wire/encode.js';
import { shownReply } from '../wire/read-reply.js';
import { readState } from '../wire/read-state.js';
import { fileOf, scripts } from '../wire/scripts.js';
import type { Step } from './player.js';

/** What a step was answered, and everything that Redis held after it. */
export interface Answer {
  reply: unknown;
  state: Map<string, Columns>;
}

interface Loaded {
  source: string;
  sha: string;
}

/** A Redis of its own with the instrumented scripts. */
export class Bench {
  readonly points = new Points();
  readonly hits = new Set<number>();
  readonly scripts = new Map<string, Instrumented>();
  readonly #loaded = new Map<string, Loaded>();
  readonly #server: RedisServer;
  readonly #client: Redis;

  private constructor(server: RedisServer) {
    this.#server = server;
    this.#client = server.connect();
  }

  static async open(): Promise<Bench> {
    // One event per node makes the bound of the stream exact.
    const bench = new Bench(await startRedis({ name: 'model', config: { 'stream-node-max-entries': 1 } }));
    for (const verb of Object.keys(scripts)) {
      if (verb !== 'plain') bench.scripts.set(verb, instrument(fileOf(verb), bench.points));
      bench.use(verb, bench.scripts.get(verb)?.source ?? plainCommand);
    }
    await bench.load();
    return bench;
  }

  async close(): Promise<void> {
    this.#client.disconnect();
    await this.#server.stop();
  }

  /** Runs another text for a verb from now on, e.g. one with a mistake. */
  use(verb: string, script: string, options?: { guarded: boolean }): void {
    const source = harnessed(script, options);
    this.#loaded.set(verb, { source, sha: createHash('sha1').update(source).digest('hex') });
  }

  /** Runs all steps on an empty database, in one go. */
  async run(steps: readonly Step[]): Promise<Answer[]> {
    const calls = await Promise.all(steps.map(({ call }) => encode(call)));
    const sent: Promise<RawReply>[] = [];
    const send = (name: string, args: (string | number | Buffer)[]): void =>
      void sent.push(this.#client.sendCommand(new Command(name, args, { replyEncoding: null })) as Promise<RawReply>);
    send('flushall', []);
    const places: number[] = [];
    let count = 1;
    for (const [i, encoded] of calls.entries()) {
      const { sha = '' } = this.#loaded.get(encoded.verb) ?? {};
      if (steps[i]?.flush) {
        send('script', ['FLUSH']);
        send('evalsha', [sha, 0]);
        for (const each of this.#loaded.values()) send('script', ['LOAD', each.source]);
        count += 2 + this.#loaded.size;
      }
      send('evalsha', [sha, encoded.keys.length, ...encoded.keys, ...encoded.args, steps[i]?.micros ?? 0]);
      places.push(count++);
    }
    const replies = await Promise.allSettled(sent);
    return places.map((place, i) => this.#answer(calls[i] as Encoded, replies[place]));
  }

  /** Makes Redis know every script that is used. */
  async load(): Promise<void> {
    for (const { source } of this.#loaded.values()) await this.#client.script('LOAD', source);
  }

  #answer({ verb, read }: Encoded, answered: PromiseSettledResult<RawReply> | undefined): Answer {
    if (answered?.status !== 'fulfilled') throw new Error(`${verb} was not run: ${String(answered?.reason)}`);
    const [ok, reply, places, sizes, pieces] = answered.value as [number, RawReply, Buffer, Buffer, Buffer];
    const hits = places.toString();
    if (hits !== '') for (const place of hits.split(' ')) this.hits.add(Number(place));
    const state = readState(sizes.toString(), pieces.toString('latin1'));
    if (ok !== 1) return { reply: { error: firstWord(String(reply)) }, state };
    return { reply: shownReply(verb, read(reply)), state };
  }
}

/** Typed refusals by their code; anything else whole. */
const firstWord = (error: string): string => /^STALE /.test(error) ? 'STALE' : error;
