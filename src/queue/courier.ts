import type { Connection } from '../redis/connection.js';
import { QueueKeys } from '../redis/keys.js';
import type { Letter, LetterHead } from '../redis/letters.js';
import { acknowledge } from '../redis/scripts/acknowledge.js';
import { jobKey } from '../redis/scripts/plant.js';
import { receive, type ChildNews, type ParentMail } from '../redis/scripts/receive.js';

/** The most letters, and about the most bytes of results, that one call carries. */
const mostLetters = 1000;
const mostBytes = 1 << 20;

/**
 * Brings letters from the outbox of a queue to the parents, wherever these are.
 *
 * 1. `receive` in the parent's queue enters what the letter says: once, however often it arrives.
 * 2. `acknowledge` in the child's queue takes the letter out, if no newer one lies there.
 *
 * A crash before, between or after the two leaves a letter in the outbox or none; the scheduler delivers what is left.
 * Letters that come while a delivery is under way travel together in the next.
 */
export class Courier {
  readonly #connection: Connection;
  readonly #keys: QueueKeys;
  #waiting: Letter[] = [];
  #underWay: Promise<void> | undefined;

  constructor(connection: Connection, keys: QueueKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Resolves when these letters have arrived. When it rejects they are in the outbox still. */
  async deliver(letters: readonly Letter[]): Promise<void> {
    if (letters.length === 0) return;
    this.#waiting.push(...letters);
    // Joins the delivery after the one under way, which may have left without these.
    await this.#underWay?.catch(() => undefined);
    this.#underWay ??= this.#deliverWaiting();
    await this.#underWay;
  }

  /** Resolves when nothing is under way, or after so many ms. */
  async idle(mostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, mostMs);
    });
    await Promise.race([this.#emptied(), late]);
    clearTimeout(timer);
  }

  async #emptied(): Promise<void> {
    while (this.#underWay) await this.#underWay.catch(() => undefined);
  }

  async #deliverWaiting(): Promise<void> {
    const letters = this.#waiting;
    this.#waiting = [];
    try {
      for (const batch of batches(letters)) await this.#deliverBatch(batch);
    } finally {
      this.#underWay = undefined;
    }
  }

  async #deliverBatch(letters: Letter[]): Promise<void> {
    await Promise.all(byQueue(byHead(letters)).map(([target, runs]) =>
      this.#connection.run(receive, target, { mail: mailOf(runs, this.#keys) })));
    await this.#connection.run(acknowledge, this.#keys, { letters });
  }
}

function batches(letters: readonly Letter[]): Letter[][] {
  const made: Letter[][] = [];
  let bytes = Infinity;
  for (const letter of letters) {
    bytes += letter.outcome.length;
    const last = made.at(-1);
    if (last && bytes <= mostBytes && last.length < mostLetters) last.push(letter);
    else {
      made.push([letter]);
      bytes = letter.outcome.length;
    }
  }
  return made;
}

/** Letters in a row that share a head. */
type Run = [LetterHead, Letter[]];

function byHead(letters: readonly Letter[]): Run[] {
  const groups: Run[] = [];
  for (const letter of letters) {
    const last = groups.at(-1);
    if (last && last[0] === letter.head) last[1].push(letter);
    else groups.push([letter.head, [letter]]);
  }
  return groups;
}

/** The runs for each queue of parents. */
function byQueue(runs: readonly Run[]): [QueueKeys, Run[]][] {
  const groups = new Map<string, [QueueKeys, Run[]]>();
  for (const run of runs) {
    const { prefix, queue } = run[0].parent;
    const name = `${prefix}\n${queue}`;
    const known = groups.get(name);
    if (known) known[1].push(run);
    else groups.set(name, [new QueueKeys(prefix, queue), [run]]);
  }
  return [...groups.values()];
}

function mailOf(runs: readonly Run[], { prefix, queue }: QueueKeys): ParentMail[] {
  const mail = new Map<string, ChildNews[]>();
  for (const [{ parent, ending, policy, stamp }, group] of runs) {
    const children = group.map(({ id, outcome }) => ({ key: jobKey({ prefix, queue, id }), outcome }));
    const news = { ending, policy, stamp, children };
    const known = mail.get(parent.id);
    if (known) known.push(news);
    else mail.set(parent.id, [news]);
  }
  return [...mail].map(([parent, news]) => ({ parent, news }));
}
