import type { Fault } from '../nemesis.js';
import type { Random } from '../random.js';
import { redisErrors } from '../proxy/redis-errors.js';
import type { RuleSpec } from '../proxy/rules.js';
import type { Proxy } from '../proxy/start-proxy.js';
import type { Supplier } from './supplier.js';

/** Faults of the proxy's rules: in effect for the requests of one script, now and then, while they last. */
export interface ByRuleOptions {
  readonly proxy: Supplier<Proxy>;
  /** Names of scripts, of which each fault draws one. */
  readonly scripts: readonly string[];
  /** Of how many requests one is struck, drawn for each fault. Default 1 to 5. */
  readonly every?: readonly [number, number];
}

/** Redis does the work, the client learns nothing. */
export const dropReplies = (options: ByRuleOptions): Fault => byRule('drop-replies', options, () => ({ then: 'dropReply' }));

/** Redis learns nothing. */
export const dropRequests = (options: ByRuleOptions): Fault => byRule('drop-requests', options, () => ({ then: 'dropRequest' }));

/** The connection breaks within a request. */
export const cutRequests = (options: ByRuleOptions): Fault =>
  byRule('cut-requests', options, (random) => ({ then: 'cutRequest', at: random.integer(1, 400) }));

/** The connection breaks within a reply. */
export const cutReplies = (options: ByRuleOptions): Fault =>
  byRule('cut-replies', options, (random) => ({ then: 'cutReply', at: random.integer(1, 100) }));

/** Requests or replies come late. */
export const delay = (options: ByRuleOptions, ms: readonly [number, number] = [1, 3_000]): Fault =>
  byRule('delay', options, (random) => ({ then: random.pick(['delayRequest', 'delayReply'] as const), ms }));

/** Requests or replies come a few bytes at a time. */
export const trickle = (options: ByRuleOptions): Fault =>
  byRule('trickle', options, (random) => ({
    then: random.pick(['trickleRequest', 'trickleReply'] as const),
    bytes: random.integer(1, 50),
    everyMs: random.integer(1, 10),
  }));

/** Redis refuses, for a reason that passes. */
export const replyErrors = (
  options: ByRuleOptions,
  errors: readonly (keyof typeof redisErrors)[] = ['READONLY', 'LOADING', 'OOM', 'BUSY', 'MISCONF', 'TRYAGAIN', 'NOSCRIPT'],
): Fault => byRule('reply-errors', options, (random) => ({ then: 'error', error: redisErrors[random.pick(errors)] }));

type RuleEffect = RuleSpec extends infer Spec ? (Spec extends RuleSpec ? Omit<Spec, 'when' | 'times'> : never) : never;

function byRule(kind: string, { proxy, scripts, every = [1, 5] }: ByRuleOptions, effect: (random: Random) => RuleEffect): Fault {
  return {
    kind,
    async inject(random) {
      const when = { script: random.pick(scripts), every: random.integer(...every) };
      const drawn = effect(random);
      const rule = (await proxy()).rule({ ...drawn, when });
      const described = Object.fromEntries(Object.entries(drawn).map(([name, value]) => [name, String(value)]));
      return { detail: { ...when, ...described }, heal: () => rule.remove() };
    },
  };
}
