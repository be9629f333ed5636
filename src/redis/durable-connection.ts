import type { Cluster, Command } from 'ioredis';
import { confirmationOf, type Confirmation, type Durability } from '../core/durability.js';
import type { Shortfall } from '../core/errors.js';
import { Confirmer } from './confirmer.js';
import { Connection } from './connection.js';
import type { QueueKeys } from './keys.js';
import { isCluster, openUnassuming, type ConnectionOptions } from './options.js';
import type { RawReply, Script } from './script.js';

interface Sent {
  readonly command: Command;
  resolve: (reply: RawReply) => void;
  reject: (error: Error) => void;
}

/** One socket, as far as commands go that are handed to it at once. */
type Send = (command: Command) => Promise<RawReply>;

/**
 * A connection of its own whose script calls are answered only when they have been confirmed: by replicas, or by the disk.
 *
 * 1. Calls go out in rounds. Behind the scripts of a round follows one question, on the same socket: on any other it would
 *    tell nothing, since Redis waits for what the asking client has written.
 * 2. A socket that breaks before the answer takes the whole round with it; its calls are repeated on the next one. Every
 *    script that is run here writes something also when it is repeated, so that there is something to wait for.
 * 3. What comes while a round is under way waits for the next: Redis holds a client back while it waits.
 */
export class DurableConnection extends Connection {
  readonly #confirmation: Confirmation;
  readonly #confirmer: Confirmer;
  readonly #shortfalls = new WeakMap<object, Shortfall>();
  #waiting: Sent[] = [];
  #round: readonly Sent[] | undefined;
  #scheduled = false;

  constructor(options: ConnectionOptions, confirmation: Confirmation) {
    super(options, openUnassuming(options, confirmation.timeoutMs));
    this.#confirmation = confirmation;
    this.#confirmer = new Confirmer(confirmation, (name, args) => this.command(name, args, 'ask Redis how it keeps data'));
    this.client.on('ready', this.#onReady);
    this.client.on('close', this.#onBroken);
  }

  /**
   * Runs a script and has it confirmed; `shortfallOf` tells of the reply what was not.
   * Rejects DURABILITY_UNAVAILABLE before anything is written.
   */
  override async run<Call, Reply>(script: Script<Call, Reply>, keys: QueueKeys, call: Call, deadlineMs = this.deadlineMs): Promise<Reply> {
    const startedAt = performance.now();
    await this.#confirmer.vet();
    const leftMs = Math.max(1, deadlineMs - (performance.now() - startedAt));
    const read = (raw: RawReply, made: Call): Reply => {
      const reply = script.reply(raw, made);
      const shortfall = isObject(raw) ? this.#shortfalls.get(raw) : undefined;
      if (shortfall && isObject(reply)) this.#shortfalls.set(reply, shortfall);
      return reply;
    };
    // A call may have to wait for the round before its own, and then for its own.
    return super.run({ ...script, reply: read }, keys, call, leftMs + 2 * this.#confirmation.timeoutMs);
  }

  override shortfallOf(reply: object): Shortfall | undefined {
    return this.#shortfalls.get(reply);
  }

  override close(): void {
    this.client.off('ready', this.#onReady).off('close', this.#onBroken);
    super.close();
    this.#waiting = [];
  }

  protected override dispatch(command: Command): Promise<RawReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#round || this.#waiting.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.isReady && !this.#round) void this.#sendRound();
    });
  }

  async #sendRound(): Promise<void> {
    const round = this.#waiting;
    this.#waiting = [];
    this.#round = round;
    const { client } = this;
    await Promise.all(isCluster(client)
      ? this.#bySlot(client, round).map(([send, sent]) => this.#carryOut(send, sent))
      : [this.#carryOut((command) => client.sendCommand(command) as Promise<RawReply>, round)]);
    if (this.#round !== round) return;
    this.#round = undefined;
    this.#schedule();
  }

  /** Writes commands and the question to one socket at once, and settles each call when both are answered. */
  async #carryOut(send: Send, round: readonly Sent[]): Promise<void> {
    const replies = round.map(({ command }) => send(command));
    const scripts = round.some(isScript);
    const confirming = scripts ? send(this.#confirmer.question()) : undefined;
    const settled = await Promise.allSettled(replies);
    const [confirmed] = await Promise.allSettled([confirming]);
    const verdict = this.#judge(confirmed);
    for (const [i, sent] of round.entries()) {
      const reply = settled[i];
      if (reply?.status !== 'fulfilled') {
        this.#lookForOwner();
        sent.reject(reply?.reason as Error);
      } else if (verdict === 'lost' && isScript(sent)) {
        sent.reject(brokenConnection());
      } else {
        if (typeof verdict === 'object' && isObject(reply.value)) this.#shortfalls.set(reply.value, verdict);
        sent.resolve(reply.value);
      }
    }
  }

  /** What is missing; 'lost' when the server that answered the scripts cannot be asked any more. */
  #judge(answer: PromiseSettledResult<RawReply | undefined>): Shortfall | 'lost' | undefined {
    if (answer.status === 'rejected') return this.#confirmer.refused(answer.reason as Error) ?? 'lost';
    return answer.value === undefined ? undefined : this.#confirmer.judge(answer.value);
  }

  /** The sockets of a cluster for these commands; all of one slot go to one. */
  #bySlot(cluster: Cluster, round: readonly Sent[]): [Send, Sent[]][] {
    const groups = new Map<number | null, Sent[]>();
    for (const sent of round) {
      const slot = isScript(sent) ? sent.command.getSlot() : null;
      const group = groups.get(slot);
      if (group) group.push(sent);
      else groups.set(slot, [sent]);
    }
    return [...groups].map(([slot, sent]) => {
      // The client fills in the node that it finds for the slot, and keeps to it.
      const node = slot === null ? undefined : { slot };
      return [(command) => cluster.sendCommand(command, undefined, node) as Promise<RawReply>, sent];
    });
  }

  /** A command that is bound to a node does not follow redirections: it is repeated, by a newer map of the slots. */
  #lookForOwner(): void {
    if (isCluster(this.client)) this.client.refreshSlotsCache();
  }

  readonly #onReady = (): void => this.#schedule();

  /** What was written may or may not have been carried out, and is not confirmed. */
  readonly #onBroken = (): void => {
    const round = this.#round ?? [];
    this.#round = undefined;
    // Who answers next may be another server.
    this.#confirmer.forget();
    for (const { reject } of round) reject(brokenConnection());
  };
}

/** The connection that a durability needs; undefined for `memory`. */
export function openDurable(options: ConnectionOptions, durability: Durability | undefined): DurableConnection | undefined {
  const confirmation = confirmationOf(durability);
  return confirmation && new DurableConnection(options, confirmation);
}

function isScript({ command }: Sent): boolean {
  return command.name === 'evalsha';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** As the client says it, so that it is understood: the call may have happened, and is to be repeated. */
function brokenConnection(): Error {
  return new Error('Connection is closed.');
}
