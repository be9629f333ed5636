import { readLetter } from '../../../src/redis/letters.js';
import type { Call, Child, News } from '../machine/calls.js';
import { prefix } from '../machine/turn.js';
import { outcomeOf, packedOf, recordOf, type Chooser } from './player.js';

type Choose = (chooser: Chooser) => Call | undefined;

/** A parent with children of its own queue or another one; they are added later, if at all. */
const plant: Choose = (chooser) => {
  const { dice, player, queue, name } = chooser;
  const running = dice.from([...queue.run.keys()]);
  const parents = Array.from({ length: 1 + dice.below(2) }, (_, i) => {
    const isNew = i > 0 || running === undefined || dice.oneIn(2);
    const id = !isNew ? running : dice.oneIn(8) ? chooser.id() : dice.oneIn(6) ? `own${dice.below(3)}` : player.newId();
    const children: Child[] = Array.from({ length: dice.below(4) }, () => chooser.child(dice.of('q', 'q', 'd'), dice.oneIn(5) ? chooser.id() : player.newId('k')));
    for (const child of children) player.planned.push({ queue: name, parent: id, id: child.id });
    const priority = chooser.priority();
    const facts = { ...(priority > 0 && { pr: priority }), ...(dice.oneIn(4) && { pd: chooser.delayMs() }), ...(dice.oneIn(5) && { pk: [prefix, name, chooser.id()], po: 'fail' }) };
    return { id, name: 'flow', record: isNew ? recordOf('flow', id) : '', facts: Object.keys(facts).length > 0 && isNew ? packedOf(facts) : '', children };
  });
  if (dice.oneIn(10)) parents.push({ id: 'nobody', name: '', record: '', facts: '', children: [] });
  return { verb: 'plant', queue: name, parents };
};

const adopt: Choose = (chooser) => {
  const { dice, name, queue } = chooser;
  const parent = dice.oneIn(4) ? '' : chooser.id([...queue.pending.keys(), ...queue.parents.keys()]);
  return { verb: 'adopt', queue: name, parent: { prefix, queue: parent === '' ? '' : 'q', id: parent }, policy: dice.of('', 'fail', 'continue'), ids: chooser.ids(3) };
};

/** Letters of the outboxes that can be read, with their queue. */
function lettersTo(chooser: Chooser): { queue: string; child: string; parent: string; news: News }[] {
  return [...chooser.player.world.queues].flatMap(([queue, { outbox }]) => [...outbox].flatMap(([id, letter]) => {
    try {
      const { head: { parent, ending, policy, stamp }, outcome } = readLetter(id, Buffer.from(letter, 'latin1'));
      if (parent.queue !== chooser.name) return [];
      const news = { childKey: chooser.child(queue, id).key, ending, policy, stamp, outcome: outcome.toString('latin1') };
      return [{ queue, child: id, parent: parent.id, news }];
    } catch {
      return [];
    }
  }));
}

const deliver: Choose = (chooser) => {
  const letters = chooser.dice.some(lettersTo(chooser), 1, 3);
  if (letters.length === 0) return undefined;
  const parents = [...new Set(letters.map(({ parent }) => parent))];
  return { verb: 'receive', queue: chooser.name, mail: parents.map((parent) => ({ parent, news: letters.filter((letter) => letter.parent === parent).map(({ news }) => news) })) };
};

/** What is heard of children otherwise: that they are gone, or nothing at all. */
const hearsay: Choose = (chooser) => {
  const { dice, name, queue } = chooser;
  const parent = chooser.id([...queue.children.keys()]);
  const news = dice.some([...(queue.children.get(parent)?.keys() ?? [])], 0, 3).map((childKey): News => ({
    childKey, ending: dice.of('lost', 'removed', 'completed', 'failed', 'retried'), policy: dice.of('', '', 'fail', 'continue', 'ignore', 'remove'),
    stamp: dice.of(0, 0, chooser.player.world.micros, chooser.player.world.micros - 5_000_000), outcome: dice.of('', outcomeOf('ok')),
  }));
  if (dice.oneIn(8)) news.push({ childKey: 'm:q:nobody', ending: 'lost', policy: '', stamp: 0, outcome: '' });
  return { verb: 'receive', queue: name, mail: [{ parent, news }] };
};

const acknowledge: Choose = (chooser) => {
  const { dice, name, queue } = chooser;
  const all = [...queue.outbox].map(([id, letter]) => ({ id, letter })).filter(({ letter }) => letter.startsWith('\x96'));
  const known = dice.some(all, 1, 3);
  const first = known[0];
  if (!first) return undefined;
  // A letter that a newer one has overtaken, or that is gone.
  if (dice.oneIn(4)) known.push({ id: dice.from([...queue.job.keys()]) ?? 'nobody', letter: first.letter });
  return { verb: 'acknowledge', queue: name, letters: known };
};

const awaitChildren: Choose = (chooser) => {
  const { dice, player, name, queue } = chooser;
  const parents = chooser.held().filter(({ id }) => queue.pending.has(id) || dice.oneIn(4));
  const held = dice.from(dice.oneIn(5) ? player.leases : parents);
  if (!held) return undefined;
  const child = dice.oneIn(3) ? (dice.from([...(queue.children.get(held.id)?.keys() ?? [])]) ?? 'm:q:nobody') : '';
  return { verb: 'awaitChildren', queue: name, ...held, child };
};

const inquire: Choose = (chooser) => {
  const { dice, name, queue } = chooser;
  const parent = chooser.id([...queue.pending.keys()]);
  const hasParent = (id: string): boolean => /"pk"/.test(JSON.stringify(queue.state.get(id) ?? ''));
  // The books of a parent name each child once.
  const ids = new Set(chooser.ids(3, dice.oneIn(2) ? [...queue.completed.keys(), ...queue.failed.keys()].filter(hasParent) : queue.job.keys()));
  const children = [...ids].map((id) => ({ id, kind: dice.of('open', 'open', 'failing'), stamp: dice.of(0, chooser.player.world.micros + 1000) }));
  const facts = queue.state.get(children[0]?.id ?? '');
  const pk = typeof facts === 'object' && Array.isArray(facts.pk) && !dice.oneIn(6) ? (facts.pk as string[]) : [prefix, 'q', parent];
  return { verb: 'inquire', queue: name, parent: { prefix: pk[0] ?? '', queue: pk[1] ?? '', id: pk[2] ?? '' }, children: children as { id: string; kind: 'open'; stamp: number }[] };
};

const forgetChildren: Choose = (chooser) =>
  ({ verb: 'forgetChildren', queue: chooser.name, ids: [...chooser.dice.some([...chooser.queue.orphans], 1, 3), ...(chooser.dice.oneIn(4) ? ['nobody'] : [])] });

const upsertSchedule: Choose = ({ dice, name, nowMs }) =>
  ({ verb: 'upsertSchedule', queue: name, id: `s${dice.below(2)}`, definition: packedOf({ every: dice.of(1000, 2000) }), slot: nowMs + dice.of(0, 1000, 60_000), trace: dice.of('', 'one', 'two') });

const fireSchedule: Choose = (chooser) => {
  const { dice, name, queue, nowMs } = chooser;
  const id = dice.from([...queue.schedules.keys()]) ?? 's0';
  const slot = queue.schedules.get(id) ?? nowMs;
  const stale = dice.oneIn(6);
  return {
    verb: 'fireSchedule', queue: name, id, definition: dice.oneIn(8) ? packedOf({ every: 3 }) : (queue.schedule.get(id) ?? packedOf({})), slot: stale ? slot - 1 : slot,
    nextSlot: dice.oneIn(5) ? -1 : slot + 1000, overlap: dice.of('allow', 'skip'), name: 'tick',
    runs: Array.from({ length: 1 + dice.below(2) }, (_, i) => {
      const priority = chooser.priority();
      const known = dice.oneIn(8) ? chooser.id() : `repeat:${id}:${slot + i}`;
      return { id: known, record: recordOf('tick', slot), priority, facts: priority > 0 ? packedOf({ pr: priority, rj: id }) : dice.of('', packedOf({ rj: id })) };
    }),
  };
};

const removeSchedule: Choose = (chooser) => ({ verb: 'removeSchedule', queue: chooser.name, ...chooser.numbered(), id: `s${chooser.dice.below(2)}` });

export const flowChoices: readonly [weight: number, Choose][] = [
  [4, plant], [2, adopt], [5, deliver], [3, hearsay], [3, acknowledge], [4, awaitChildren], [2, inquire], [2, forgetChildren], [2, upsertSchedule], [3, fireSchedule],
  [1, removeSchedule],
];
