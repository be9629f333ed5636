import { RedisError, type DroverError } from '../core/errors.js';
import { list, text, type RawReply, type ScriptArg } from './script.js';

/** What a server says of itself, as far as a queue cares. */
export interface ServerFacts {
  /** `redis` or `valkey`. */
  readonly kind: string;
  readonly version: string;
  /** Redis's clock in ms at the time of asking. */
  readonly now: number;
  readonly evictionPolicy: string;
  /** Things a user should be told of; work goes on. */
  readonly problems: DroverError[];
  /** Why Drover cannot work with this server. */
  readonly refusal: DroverError | undefined;
}

const oldestRedis = [6, 2] as const;

/** Asks a server for its version, clock and eviction policy. */
export async function inspectServer(command: (name: string, args: ScriptArg[]) => Promise<RawReply>): Promise<ServerFacts> {
  const [info, time] = await Promise.all([command('info', []), command('time', [])]);
  const facts = fieldsOf(text(info));
  const kind = facts.has('valkey_version') ? 'valkey' : 'redis';
  const version = facts.get('valkey_version') ?? facts.get('redis_version') ?? '';
  const evictionPolicy = facts.get('maxmemory_policy') ?? 'noeviction';
  return {
    kind,
    version,
    evictionPolicy,
    now: clockOf(time),
    problems: evictionProblems(evictionPolicy),
    refusal: isTooOld(version) ? tooOld(kind, version) : undefined,
  };
}

/** The reply of TIME in whole ms. */
export function clockOf(reply: RawReply): number {
  const [seconds = 0, micros = 0] = list(reply).map((part) => Number(text(part)));
  return seconds * 1000 + Math.floor(micros / 1000);
}

function evictionProblems(policy: string): DroverError[] {
  if (policy === 'noeviction') return [];
  return [new RedisError('UNSAFE_EVICTION', { message: `Redis's maxmemory-policy is "${policy.slice(0, 40)}".` })];
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < oldestRedis[0] || (major === oldestRedis[0] && minor < oldestRedis[1]);
}

function tooOld(kind: string, version: string): DroverError {
  return new RedisError('UNSUPPORTED_SERVER', { message: `This is ${kind} ${version.slice(0, 40)}.` });
}

/** The fields of INFO. */
export function fieldsOf(info: string): Map<string, string> {
  const pairs = info.split('\r\n').filter((line) => line.includes(':')).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1)] as const;
  });
  return new Map(pairs);
}
