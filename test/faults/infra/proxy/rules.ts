import type { Random } from '../random.js';
import { WakeUp } from '../wake-up.js';
import type { FaultLog } from './fault-log.js';
import type { Request } from './request-head.js';

/** Which requests a rule is about. Whatever is left out matches everything. */
export interface When {
  /** Commands in lower case; `client|kill` names a subcommand. */
  readonly command?: string | readonly string[];
  /** Names of scripts as given to the proxy, or SHAs. */
  readonly script?: string | readonly string[];
  /** Only the how-manieth match since the rule was made, from 1. */
  readonly nth?: number;
  /** Only each how-manieth match. */
  readonly every?: number;
  /** Only with this probability, drawn from the proxy's seed. */
  readonly probability?: number;
}

/** A number, or a range from which the proxy's seed draws, both ends included. */
export type Amount = number | readonly [least: number, most: number];

export type Direction = 'requests' | 'replies' | 'both';

export type Effect =
  /** Nothing: the rule only counts, and tells through `fired`. */
  | { readonly then: 'pass' }
  /** The request never reaches Redis; the connection is cut once all earlier replies are through. */
  | { readonly then: 'dropRequest' }
  /** Redis carries the request out; its reply is swallowed and the connection cut. */
  | { readonly then: 'dropReply' }
  /** The first `at` bytes pass, then the connection is cut. */
  | { readonly then: 'cutRequest' | 'cutReply'; readonly at: Amount }
  /** The bytes wait for `ms`, and so does whatever comes after them. */
  | { readonly then: 'delayRequest' | 'delayReply'; readonly ms: Amount }
  /** `bytes` at a time, with `everyMs` between. */
  | { readonly then: 'trickleRequest' | 'trickleReply'; readonly bytes: number; readonly everyMs: number }
  /** The reply is this error. Redis sees the request only if `executed`; default false. */
  | { readonly then: 'error'; readonly error: string; readonly executed?: boolean }
  /** From this request on the connection falls silent and stays open. With `replies`, Redis still gets the request. */
  | { readonly then: 'blackhole'; readonly direction?: Direction };

export type EffectName = Effect['then'];

/** An effect with every amount drawn: what is to happen to one request. */
export type Treatment =
  | { readonly then: 'pass' | 'dropRequest' | 'dropReply' }
  | { readonly then: 'cutRequest' | 'cutReply'; readonly at: number }
  | { readonly then: 'delayRequest' | 'delayReply'; readonly ms: number }
  | Extract<Effect, { then: 'trickleRequest' | 'trickleReply' | 'error' | 'blackhole' }>;

export type RuleSpec = { readonly when?: When; readonly times?: number } & (
  | Effect
  /** The plain effects can be named alone. */
  | { readonly then: 'pass' | 'dropRequest' | 'dropReply' | 'blackhole' }
);

export const pass: Treatment = { then: 'pass' };

/** One rule at work: counts the requests that match and treats those that are due. */
export class Rule {
  readonly #spec: RuleSpec;
  readonly #random: Random;
  readonly #commands: ReadonlySet<string> | undefined;
  readonly #scripts: ReadonlySet<string> | undefined;
  readonly #news = new WakeUp();
  #matches = 0;
  #hits = 0;
  #removed = false;

  constructor(spec: RuleSpec, random: Random) {
    this.#spec = spec;
    this.#random = random;
    this.#commands = setOf(spec.when?.command);
    this.#scripts = setOf(spec.when?.script);
  }

  /** How many requests matched, due or not. */
  get matches(): number {
    return this.#matches;
  }

  /** How often the rule has taken effect. */
  get hits(): number {
    return this.#hits;
  }

  get spent(): boolean {
    return this.#removed || this.#hits >= (this.#spec.times ?? (this.#spec.when?.nth === undefined ? Infinity : 1));
  }

  /** Lets everything pass from now on. */
  remove(): void {
    this.#removed = true;
  }

  /** Resolves when the rule has taken effect `hits` times in all. */
  async fired(hits = 1, timeoutMs = 30_000): Promise<void> {
    const complaint = (): string => `"${this.#spec.then}" took effect ${this.#hits} times, not ${hits}, in ${timeoutMs} ms`;
    await this.#news.until(() => (this.#hits >= hits ? true : undefined), timeoutMs, complaint);
  }

  /** What to do with a request, or undefined if the rule is not about it or not due. */
  treatmentOf(request: Request): Treatment | undefined {
    if (this.spent || !this.#isAbout(request)) return undefined;
    this.#matches += 1;
    if (!this.#isDue()) return undefined;
    this.#hits += 1;
    this.#news.wake();
    return this.#drawn();
  }

  #isAbout({ command, subcommand, script }: Request): boolean {
    const named = this.#commands?.has(command) ?? true;
    const commandFits = named || this.#commands?.has(`${command}|${subcommand}`) === true;
    const scriptFits = this.#scripts === undefined || (script !== undefined && this.#scripts.has(script));
    return commandFits && scriptFits;
  }

  #isDue(): boolean {
    const { nth, every, probability } = this.#spec.when ?? {};
    if (nth !== undefined && this.#matches !== nth) return false;
    if (every !== undefined && this.#matches % every !== 0) return false;
    return probability === undefined || this.#random.chance(probability);
  }

  #drawn(): Treatment {
    const effect = this.#spec;
    if ('at' in effect) return { then: effect.then, at: this.#amount(effect.at) };
    if ('ms' in effect) return { then: effect.then, ms: this.#amount(effect.ms) };
    return effect;
  }

  #amount(amount: Amount): number {
    return typeof amount === 'number' ? amount : this.#random.integer(...amount);
  }
}

/** The rules of a proxy, in the order of their making; the first that is due decides. */
export class Rules {
  readonly #random: Random;
  readonly #log: FaultLog;
  #rules: Rule[] = [];
  #made = 0;

  constructor(random: Random, log: FaultLog) {
    this.#random = random;
    this.#log = log;
  }

  add(spec: RuleSpec): Rule {
    const rule = new Rule(spec, this.#random.fork(`rule ${this.#made}`));
    this.#made += 1;
    this.#rules.push(rule);
    return rule;
  }

  clear(): void {
    for (const rule of this.#rules) rule.remove();
    this.#rules = [];
  }

  /** Decides about a request and logs both. */
  decide(request: Request): Treatment {
    this.#log.request(request);
    if (this.#rules.length === 0) return pass;
    let decision: Treatment | undefined;
    for (const rule of this.#rules) decision ??= rule.treatmentOf(request);
    this.#rules = this.#rules.filter((rule) => !rule.spent);
    if (decision && decision.then !== 'pass') this.#log.fault(decision.then, request.script ?? request.command);
    return decision ?? pass;
  }
}

function setOf(names: string | readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names === undefined ? undefined : new Set(typeof names === 'string' ? [names] : names);
}
