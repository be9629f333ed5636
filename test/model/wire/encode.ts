import { ScriptPacker, packStrings } from '../../../src/core/script-packer.js';
import { Enqueuer, type EnqueueRequest } from '../../../src/queue/enqueuer.js';
import type { Connection } from '../../../src/redis/connection.js';
import { QueueKeys } from '../../../src/redis/keys.js';
import { readLetter } from '../../../src/redis/letters.js';
import type { RawReply, Script, ScriptArg } from '../../../src/redis/script.js';
import { Ending } from '../../../src/redis/scripts/settle.js';
import { Exchange, type Ended } from '../../../src/worker/exchange.js';
import type { ChildNews } from '../../../src/redis/scripts/receive.js';
import type { Call, CallOf, EndedJob, News, Numbered } from '../machine/calls.js';
import { prefix } from '../machine/turn.js';
import type { Bytes } from './message-pack.js';
import { scripts, type ScriptVerb } from './scripts.js';

/** A call as it is sent, and how its reply is read. */
export interface Encoded {
  verb: ScriptVerb;
  keys: string[];
  args: ScriptArg[];
  read: (raw: RawReply) => unknown;
}

export const keysOf = (queue: string): QueueKeys => new QueueKeys(prefix, queue);

/** The only place that knows what a call looks like on its way: as the library itself packs it, where that is possible. */
export async function encode(call: Call): Promise<Encoded> {
  const script = scripts[call.verb] as Script<object, unknown>;
  const typed = await typedCall(call);
  const args = script.args(typed);
  if (script.once) args.push(...('session' in call && call.session !== '' ? [call.session, call.seq] : ['', '']));
  const keys = call.verb === 'plain' ? [keysOf(call.queue).key(call.key)] : keysOf(call.queue).list(script.keys, script.choose?.(typed));
  return { verb: call.verb, keys, args, read: (raw) => script.reply(raw, typed) };
}

const binary = (bytes: Bytes): Buffer => Buffer.from(bytes, 'latin1');
const optional = (bytes: Bytes): Buffer | undefined => (bytes === '' ? undefined : binary(bytes));

async function typedCall(call: Call): Promise<object> {
  switch (call.verb) {
    case 'enqueue': return captured(call, (connection) => void new Enqueuer(connection, keysOf(call.queue)).add(requests(call)));
    case 'settle': return captured(call, (connection) => exchange(connection, call));
    case 'renew': return { leaseMs: call.leaseMs, leases: packStrings(call.leases.flatMap(({ id, lease }) => [id, lease])) };
    case 'promote': return { ...call, ids: call.ids && packStrings(call.ids) };
    case 'transfer': return { prefix, queue: call.queue, target: keysOf(call.target), direction: call.direction, items: call.items.map((item) => ({ ...item, attempt: binary(item.attempt), outcome: binary(item.outcome) })) };
    case 'plant': return { parents: call.parents.map((parent) => ({ ...parent, record: optional(parent.record), facts: optional(parent.facts) })) };
    case 'receive': return { mail: call.mail.map(({ parent, news }) => ({ parent, news: grouped(news) })) };
    case 'acknowledge': return { letters: call.letters.map(({ id, letter }) => readLetter(id, binary(letter))) };
    case 'awaitChildren': return { ...call, child: call.child === '' ? undefined : call.child };
    case 'upsertSchedule': return { ...call, definition: binary(call.definition) };
    case 'fireSchedule': return { ...call, definition: binary(call.definition), nextSlot: call.nextSlot < 0 ? undefined : call.nextSlot, runs: packRuns(call) };
    case 'reportProgress': return { id: call.id, progress: binary(call.progress) };
    case 'appendLog': return { ...call, row: optional(call.row) };
    case 'updateData': return { id: call.id, record: binary(call.record) };
    case 'publishEvents': return { ...call, custom: binary(call.custom), maxEvents: call.maxEvents < 0 ? undefined : call.maxEvents };
    default: return call;
  }
}

/** What the library hands to its connection; session and number are those of the call. */
function captured(call: Numbered & { verb: string }, send: (connection: Connection) => void): Promise<object> {
  return new Promise((resolve) => {
    const connection = {
      run: (_script: unknown, _keys: unknown, typed: object) => {
        resolve({ ...typed, ...overridden(call) });
        return new Promise<never>(() => undefined);
      },
      deadlineMs: 1000,
    };
    send(connection as unknown as Connection);
  });
}

function overridden(call: Numbered & { verb: string }): object {
  const { session, seq } = call;
  if (call.verb === 'enqueue') {
    const { attended, leaseMs } = call as CallOf<'enqueue'>;
    return { session, seq, attended, holder: leaseMs === undefined ? undefined : { worker: 'w', leaseMs } };
  }
  if (call.verb !== 'settle') return { session, seq };
  const { keepCompleted, keepFailed } = call as CallOf<'settle'>;
  return { session, seq, keepCompleted, keepFailed };
}

function requests({ form, jobs }: CallOf<'enqueue'>): EnqueueRequest[] {
  return jobs.map(({ id, name, record, delayMs, priority, lifo, facts, rule }) => ({
    id, name, record: binary(record),
    special: form !== 'plain' ? { fresh: form === 'fresh', delayMs, priority, lifo, facts: optional(facts), deduplication: rule } : undefined,
  }));
}

function exchange(connection: Connection, call: CallOf<'settle'>): void {
  const { wanted, prefetch, token, woken, leaseMs, max, durationMs, minutes } = call;
  const terms = { confirming: connection, leaseMs, limiter: max > 0 ? { max, duration: durationMs } : undefined, minutes };
  const supervisor = { retryDelayMs: 1, failed: () => undefined, isOver: () => true };
  void new Exchange(connection, keysOf(call.queue), terms, 'w', supervisor).call(call.items.map((item) => ended(call.queue, item)), { wanted, prefetch, token, woken });
}

/** News in a row that differ only in the child travel together. */
function grouped(news: readonly News[]): ChildNews[] {
  const groups: (Omit<ChildNews, 'children'> & { children: { key: string; outcome: Buffer }[] })[] = [];
  for (const { childKey, ending, policy, stamp, outcome } of news) {
    const last = groups.at(-1);
    const child = { key: childKey, outcome: binary(outcome) };
    if (last && last.ending === ending && last.policy === policy && last.stamp === stamp) last.children.push(child);
    else groups.push({ ending, policy, stamp, children: [child] });
  }
  return groups;
}

function ended(queue: string, { id, lease, end, parent }: EndedJob): Ended {
  const settled = (): void => undefined;
  return { id, lease, ending: Ending[end.kind], payload: payloadOf(end), settled, ...(parent !== undefined && { parent: { prefix, queue, id: parent } }) };
}

function payloadOf(end: EndedJob['end']): Buffer | string | ((packer: ScriptPacker) => void) {
  switch (end.kind) {
    case 'forgotten': case 'kept': return binary(end.outcome);
    case 'keptFor': return (to) => void to.array(2).bytes(binary(end.outcome)).number(end.ageMs);
    case 'failed': return (to) => {
      to.array(5).bytes(binary(end.outcome)).number(end.attemptsMade).bytes(binary(end.attempt));
      (end.ageMs === undefined ? to.nil() : to.number(end.ageMs)).flag(end.exhausted);
    };
    case 'retried': return (to) => void to.array(4).number(end.delayMs).number(end.attemptsMade).bytes(binary(end.attempt)).flag(end.lifo);
    case 'givenBack': return '';
    case 'delayed': return (to) => void to.array(1).number(end.dueAt);
  }
}

function packRuns({ runs }: CallOf<'fireSchedule'>): Buffer {
  const packer = new ScriptPacker().array(runs.length);
  for (const { id, record, priority, facts } of runs) packer.array(4).string(id).bytes(binary(record)).number(priority).bytes(binary(facts));
  return packer.take();
}
