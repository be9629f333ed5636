import type { CallOf, News, Parent } from './calls.js';
import { isFirst, numberIn, type ChildKind, type Facts } from './columns.js';
import { awaits, entryOf, isAwaiting, keepTally, newTally, tallyOf, type Tally } from './books.js';
import { unpackedFacts, type Turn } from './turn.js';
import { readPacked, type Packed } from '../wire/message-pack.js';

export function plant(turn: Turn, call: CallOf<'plant'>): unknown {
  const { queue, now } = turn;
  const names: string[] = [];
  const flags = call.parents.map(({ id, name, record, facts, children }) => {
    const isNew = record !== '' && !queue.job.has(id);
    if (isNew) {
      queue.job.set(id, record);
      if (facts !== '') queue.state.set(id, unpackedFacts(facts));
      queue.parents.set(id, now);
      names.push(name);
      turn.moved.push(['waiting-children', id]);
    } else if (!queue.job.has(id)) {
      return 'missing';
    }
    if (queue.orphans.delete(id)) queue.children.delete(id);
    const books = queue.children.get(id) ?? new Map<string, never>();
    const strangers = children.filter(({ key }, i) => !books.has(key) && children.findIndex((child) => child.key === key) === i);
    if (strangers.length > 0) {
      const tally = tallyOf(queue, id) ?? newTally();
      tally.open += strangers.length;
      keepTally(queue, id, tally);
      queue.children.set(id, new Map([...books, ...strangers.map((child) => [child.key, {
        kind: 'open' satisfies ChildKind, prefixLength: child.prefix.length, queueLength: child.queue.length, stamp: 0, outcome: '',
      }] as const)]));
    }
    return isNew ? 'planted' : 'existed';
  });
  if (flags.some((flag) => flag !== 'missing')) queue.meta.set('flows', queue.meta.get('flows') ?? '1');
  if (turn.moved.length > 0) turn.publish(turn.moved.length, { added: '', names: names.join('\n'), moved: turn.moved });
  return flags;
}

const isParent = (known: Packed | undefined, parent: Parent): boolean =>
  Array.isArray(known) && known[0] === parent.prefix && known[1] === parent.queue && known[2] === parent.id;

export function adopt(turn: Turn, { parent, policy, ids }: CallOf<'adopt'>): unknown {
  const { queue } = turn;
  const adoptions = ids.map((id) => {
    const facts = turn.facts(id);
    if (!queue.job.has(id)) return 'missing';
    if (parent.id === '') {
      turn.remember(id, { ...facts, pk: null, po: null });
      return 'adopted';
    }
    if (facts.pk !== undefined && !isParent(facts.pk, parent)) return 'elsewhere';
    const adopted: Facts = { ...facts, pk: [parent.prefix, parent.queue, parent.id], ...(policy !== '' && { po: policy }) };
    turn.remember(id, adopted);
    const ending = queue.completed.has(id) ? 'completed' : queue.failed.has(id) ? 'failed' : undefined;
    if (ending !== undefined) turn.write(id, adopted, ending, queue.outcome.get(id) ?? '');
    return 'adopted';
  });
  return { adoptions, letters: turn.letters };
}

export function inquire(turn: Turn, { parent, children }: CallOf<'inquire'>): unknown {
  const { queue } = turn;
  const present = children.map(({ id, kind, stamp }) => {
    if (queue.outbox.has(id)) return true;
    const facts = turn.facts(id);
    if (!queue.job.has(id) || !isParent(facts.pk, parent)) return false;
    const ending = queue.completed.has(id) ? 'completed' : kind === 'open' && queue.failed.has(id) ? 'failed' : undefined;
    if (ending !== undefined) turn.write(id, facts, ending, queue.outcome.get(id) ?? '', stamp);
    return true;
  });
  return { present, letters: turn.letters };
}

export function acknowledge({ queue: { outbox } }: Turn, { letters }: CallOf<'acknowledge'>): unknown {
  const arrived = new Set<string>();
  for (const { id, letter } of letters) {
    if (outbox.get(id)?.startsWith(letter.slice(0, readPacked(letter).end))) arrived.add(id);
  }
  for (const id of arrived) outbox.delete(id);
  return arrived.size;
}

export function awaitChildren(turn: Turn, { id, lease, child }: CallOf<'awaitChildren'>): unknown {
  const { queue, now } = turn;
  if (queue.run.get(id) !== lease) return { outcome: queue.parents.has(id) ? 'waits' : 'lease lost' };
  const facts = turn.facts(id);
  if (typeof facts.df === 'string') return { outcome: 'failure', reason: facts.df };
  const kind = entryOf(queue, id, child)?.kind;
  if (!isAwaiting(queue, id) || (child !== '' && kind !== 'open' && kind !== 'failing')) return { outcome: 'nothing to wait for' };
  queue.active.delete(id);
  queue.run.delete(id);
  queue.parents.set(id, now);
  turn.remember(id, { ...facts, as: numberIn(facts, 'as') + 1, su: null });
  turn.publish(1, { moved: [['waiting-children', id, 'active']] });
  return { outcome: 'waits' };
}

export function forgetChildren({ queue }: Turn, { ids }: CallOf<'forgetChildren'>): unknown {
  return ids.filter((id) => {
    if (!queue.orphans.delete(id)) return false;
    queue.children.delete(id);
    return true;
  }).length;
}

export function receive(turn: Turn, { mail }: CallOf<'receive'>): unknown {
  let total = 0;
  let ready = false;
  for (const { parent, news } of mail) {
    const heard = hear(turn, parent, news);
    total += heard.counted;
    ready ||= heard.ready;
  }
  if (turn.moved.length > 0) {
    if (ready) turn.wakeUnlessPaused();
    turn.publish(turn.moved.length, { moved: turn.moved });
  }
  return total;
}

/** What parents hear in the call that ended their children; answers whether somebody is to be woken for one. */
export function hearNear(turn: Turn): boolean {
  const { news, told } = turn.near;
  for (const id of told) turn.queue.outbox.delete(id);
  return [...news].filter(([, heard]) => heard.length > 0).map(([parent, heard]) => hear(turn, parent, heard).ready).includes(true);
}

/** What becomes of a parent that hears how children ended; `ready`: somebody is to be woken for it. */
function hear(turn: Turn, parent: string, news: readonly News[]): { counted: number; ready: boolean } {
  const tally = tallyOf(turn.queue, parent);
  if (!tally) return { counted: 0, ready: news.length === 0 && goOn(turn, parent, true) };
  const { counted, reason, hurry } = takeIn(turn, parent, tally, news);
  if (reason !== undefined) return { counted, ready: failLater(turn, parent, reason) };
  return { counted, ready: (counted > 0 || news.length === 0) && (hurry || !awaits(tally)) && goOn(turn, parent, !hurry) };
}

interface TakenIn {
  counted: number;
  /** Why the parent fails. */
  reason: string | undefined;
  /** It runs at once. */
  hurry: boolean;
}

function takeIn({ queue }: Turn, parent: string, tally: Tally, news: readonly News[]): TakenIn {
  const taken: TakenIn = { counted: 0, reason: undefined, hurry: false };
  const books = new Map(queue.children.get(parent));
  for (const { childKey, ending, policy, stamp, outcome } of news) {
    const entry = books.get(childKey);
    if (entry === undefined || typeof entry === 'string' || (stamp !== 0 && stamp <= entry.stamp)) continue;
    const kind = verdict(entry.kind, ending, policy);
    if (kind === undefined) continue;
    taken.counted += 1;
    tally[entry.kind] -= 1;
    if (kind === 'gone') {
      books.delete(childKey);
    } else {
      tally[kind] += 1;
      books.set(childKey, { ...entry, kind, stamp: Math.max(stamp, entry.stamp), outcome });
    }
    if (kind === 'failed') taken.reason ??= `child ${childKey}${ending === 'lost' ? ' is missing' : ' failed'}`;
    taken.hurry ||= ending === 'failed' && policy === 'continue';
  }
  if (taken.counted > 0) keepTally(queue, parent, tally);
  if (books.size > 0) queue.children.set(parent, books);
  else queue.children.delete(parent);
  return taken;
}

const afterFailure: Record<string, ChildKind | 'gone'> = { fail: 'failed', continue: 'ignored', ignore: 'ignored', remove: 'gone' };

/** What a letter makes of a child in the books; undefined: nothing. */
function verdict(kind: ChildKind, ending: News['ending'], policy: string): ChildKind | 'gone' | undefined {
  const isAwaited = kind === 'open' || kind === 'failing';
  switch (ending) {
    case 'completed': return kind === 'completed' ? undefined : 'completed';
    case 'failed': return kind === 'completed' ? undefined : (afterFailure[policy] ?? 'failing');
    case 'retried': return 'open';
    case 'removed': return isAwaited ? 'gone' : undefined;
    case 'lost': return kind === 'failing' ? 'gone' : kind === 'open' ? 'failed' : undefined;
  }
}

/** To the front of its priority: a flow that has begun ends before others begin. */
function toWait(turn: Turn, id: string, facts: Facts): void {
  turn.queue.wait.set(id, turn.head(numberIn(facts, 'pr')));
  turn.moved.push(['waiting', id, 'waiting-children']);
}

/** The parent is to fail as soon as it runs; answers whether it can be taken now. */
function failLater(turn: Turn, id: string, reason: string): boolean {
  const { queue } = turn;
  if (queue.completed.has(id) || queue.failed.has(id)) return false;
  const facts: Facts = { ...turn.facts(id) };
  facts.df ??= reason;
  const was = [queue.parents.delete(id), queue.delayed.delete(id)];
  const waited = was.includes(true);
  if (waited) {
    facts.pd = null;
    toWait(turn, id, facts);
  }
  turn.remember(id, facts);
  return waited;
}

/** The parent goes on; answers whether somebody is to be woken for it. */
function goOn(turn: Turn, id: string, delays: boolean): boolean {
  const { queue, now } = turn;
  if (!queue.parents.delete(id)) return false;
  const facts = turn.facts(id);
  if (facts.pd === undefined || !delays) {
    toWait(turn, id, facts);
    return true;
  }
  const due = now + Number(facts.pd);
  turn.remember(id, { ...facts, pd: null });
  queue.delayed.set(id, due);
  turn.moved.push(['delayed', id, due]);
  return isFirst(queue.delayed, id);
}
