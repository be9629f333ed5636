import { readHistory, type HistoryEvent } from '../infra/history.js';
import type { FaultRecord } from '../infra/nemesis.js';
import type { Ask } from '../workload/spec.js';
import { checkOrder, type Covered } from './order-check.js';
import type { Life } from './tape.js';
import type { Violations } from './violations.js';

/** Faults that can let a lease run out: what hinders a worker, or Redis, or the way between them. */
export const leaseBreaking = new Set([
  'kill-worker', 'pause-worker', 'block-worker', 'black-hole', 'delay', 'trickle', 'refuse-connections', 'freeze-redis', 'restart-redis',
  'busy-script', 'reply-errors', 'squeeze-memory', 'disk-error', 'clock-step', 'fail-over', 'move-slot', 'drop-requests', 'drop-replies',
  'cut-requests', 'cut-replies',
]);
/** Faults of one process or one connection: Redis and all others go on. */
const local = new Set(['kill-worker', 'pause-worker', 'block-worker', 'script-flush', 'cut-connections', 'client-kill']);

/** Work goes on this soon after everything is healed. */
const healedWithinMs = 10_000;

export interface CheckOptions {
  readonly folder: string;
  readonly lives: ReadonlyMap<string, Life>;
  readonly faults: readonly FaultRecord[];
  /** When Redis did not answer in time without anybody's doing. */
  readonly starved: readonly FaultRecord[];
  readonly leaseMs: number;
  readonly concurrency: number;
  /** The name of the queue that most is about. */
  readonly queue: string;
  /** What Redis's clock in ms is ahead of CLOCK_MONOTONIC; undefined where it may not be believed. */
  readonly clockOffsetMs: number | undefined;
  /** False where acknowledged writes may be lost by design, as in a failover without confirmation: losses are counted then. */
  readonly durable: boolean;
  readonly violations: Violations;
}

export interface Figures {
  readonly asked: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  readonly runs: number;
  /** Runs beyond one for each attempt. */
  readonly extraRuns: number;
  readonly stalls: number;
  /** Acknowledged jobs that never ran. */
  readonly lost: number;
  readonly errors: Readonly<Record<string, number>>;
  /** How often the machine was too busy for Redis or a worker to keep a lease alive. */
  readonly starved: number;
  /** How much of each kind was there to be checked. */
  readonly covered: Covered;
  /** From the end of a fault to the next job done, in ms. */
  readonly progressMs: Spread;
  /** From the kill of a worker until a job that it had begun waits again, in ms, where nothing else was wrong. */
  readonly crashMs: Spread;
  /** From there until it runs again: longer where others go first, and where the next worker dies too. */
  readonly rerunMs: Spread;
  /** Recoveries that took longer than lease + 1 s, in words. */
  readonly slowRecoveries: readonly string[];
}

export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly most: number;
}

export interface Run {
  readonly process: string;
  readonly queue: string;
  /** When it was handed out, by Redis's clock. */
  readonly epoch: number;
  readonly at: bigint;
  readonly made: number;
  end?: bigint;
}

/** What a handler writes when it begins. */
interface Begun {
  readonly tag: string;
  readonly made: number;
  /** For parents: how many children there are, and how many of them had told a result. */
  readonly children?: number;
  readonly heard?: number;
}

/** Reads all histories and compares them with what Redis told. */
export async function checkHistory(options: CheckOptions): Promise<Figures> {
  const reading = new Reading();
  for await (const event of readHistory(options.folder)) reading.note(event);
  return new Verdict(reading, options).figures();
}

/** What the clients and handlers say. */
export class Reading {
  readonly answers = new Map<string, { type: 'ok' | 'fail' | 'unknown' | 'open'; ids: Set<string> }>();
  /** Tags of jobs that go to the end of the line; of jobs with a deduplication id, by it; and of children, by their parent's. */
  readonly plain = new Set<string>();
  readonly alike = new Map<string, Set<string>>();
  readonly families = new Map<string, readonly string[]>();
  readonly deduplicated = new Set<string>();
  /** Parents that began before all children had told them. */
  readonly early: string[] = [];
  readonly runs = new Map<string, Run[]>();
  readonly idsOf = new Map<string, Set<string>>();
  readonly ends: bigint[] = [];
  readonly errors: Record<string, number> = {};
  /** When the event loop of a worker stood still, whatever the reason. */
  readonly lags: FaultRecord[] = [];
  readonly #open = new Map<string, Ask>();

  note(event: HistoryEvent): void {
    switch (event.type) {
      case 'invoke': {
        const ask = event.value as unknown as Ask;
        const { tags } = ask;
        this.#open.set(`${event.process} ${event.call}`, ask);
        this.#asked(ask);
        for (const tag of tags) if (!this.answers.has(tag)) this.answers.set(tag, { type: 'open', ids: new Set() });
        return;
      }
      case 'ok': case 'fail': case 'unknown': return this.#answered(event);
      case 'start': return this.#started(event, event.value as unknown as Begun);
      case 'end': {
        this.ends.push(event.at);
        const run = this.runs.get(event.job)?.find((one) => one.process === event.process && one.end === undefined);
        if (run) run.end = event.at;
        return;
      }
      case 'note': return this.#noted(event.value, event.at);
      case 'fault': return;
    }
  }

  #answered(event: HistoryEvent & { type: 'ok' | 'fail' | 'unknown' }): void {
    const key = `${event.process} ${event.call}`;
    const ask = this.#open.get(key);
    this.#open.delete(key);
    const ids = event.type === 'ok' ? (event.value as readonly string[]) : [];
    const error = `add: ${JSON.stringify(event.value)}`;
    if (event.type !== 'ok') this.errors[error] = (this.errors[error] ?? 0) + 1;
    for (const [i, tag] of (ask?.tags ?? []).entries()) {
      const answer = this.answers.get(tag);
      if (!answer) continue;
      // A call that is asked again may be certain later, but once unknown it is not undone by a refusal.
      if (event.type === 'ok' || answer.type === 'open') answer.type = event.type;
      else if (answer.type === 'fail' && event.type === 'unknown') answer.type = 'unknown';
      const id = ids[i];
      if (id !== undefined) answer.ids.add(id);
    }
  }

  #asked({ tags, plain, dedup, flow }: Ask): void {
    for (const [i, tag] of tags.entries()) {
      if (plain?.[i] === 1) this.plain.add(tag);
      if (dedup !== undefined) {
        this.alike.set(dedup, (this.alike.get(dedup) ?? new Set()).add(tag));
        this.deduplicated.add(tag);
      }
    }
    if (flow && tags[0] !== undefined) this.families.set(tags[0], tags.slice(1));
  }

  #started({ job, process, at, queue, epoch }: HistoryEvent & { type: 'start' | 'end' }, { tag, made, children, heard }: Begun): void {
    const runs = this.runs.get(job) ?? [];
    this.runs.set(job, runs);
    runs.push({ process, queue, epoch, at, made });
    if (children !== heard) this.early.push(`${tag} (${job}) began when ${heard} of ${children} children had told their results`);
    const ids = this.idsOf.get(tag) ?? new Set();
    this.idsOf.set(tag, ids.add(job));
  }

  #noted(value: unknown, at: bigint): void {
    const { errors = {}, lagMs } = value as { errors?: Record<string, number>; lagMs?: number };
    if (lagMs !== undefined) this.lags.push({ kind: 'starved', at: at - ms(lagMs), until: at });
    for (const [code, count] of Object.entries(errors)) this.errors[code] = Math.max(this.errors[code] ?? 0, count);
  }
}

class Verdict {
  readonly #read: Reading;
  readonly #options: CheckOptions;
  #lost = 0;

  constructor(reading: Reading, options: CheckOptions) {
    this.#read = reading;
    this.#options = options;
  }

  figures(): Figures {
    this.#checkAnswers();
    this.#checkEnds();
    const covered = checkOrder(this.#read, this.#options, (invariant, what) => this.#complain(invariant, what));
    const count = (type: string): number => [...this.#read.answers.values()].filter((answer) => answer.type === type).length;
    const lives = [...this.#options.lives.values()];
    return {
      asked: this.#read.answers.size,
      acknowledged: count('ok'),
      unknown: count('unknown') + count('open'),
      refused: count('fail'),
      runs: [...this.#read.runs.values()].reduce((sum, runs) => sum + runs.length, 0),
      extraRuns: this.#checkExtraRuns(),
      stalls: lives.reduce((sum, life) => sum + life.stalls, 0),
      lost: this.#lost,
      errors: this.#read.errors,
      starved: this.#options.starved.length + this.#read.lags.length,
      covered,
      progressMs: this.#checkProgress(),
      ...this.#crashes(),
    };
  }

  /** I1 and I2: what was acknowledged ran and ended once; nothing became two jobs; what was refused is not there. */
  #checkAnswers(): void {
    const { answers, idsOf } = this.#read;
    for (const [tag, { type, ids }] of answers) {
      const ran = idsOf.get(tag) ?? new Set<string>();
      const all = new Set([...ran, ...ids]);
      if (all.size > 1 && !this.#read.deduplicated.has(tag)) this.#complain('I2', `${tag} became ${[...all].join(' and ')}`);
      if (type === 'fail' && ran.size > 0) this.#complain('I2', `${tag} was refused, but ran`);
      // In the place of one that is not added because of its deduplication id stands another, whose id is answered.
      const stood = this.#read.deduplicated.has(tag) && [...ids].some((id) => this.#read.runs.has(id));
      if (type === 'ok' && ran.size === 0 && !stood) this.#lose(`${tag} was acknowledged as ${[...ids].join()} and never ran`);
      for (const id of type === 'ok' ? ids : []) {
        if ((this.#options.lives.get(id)?.ends ?? 0) !== 1) this.#missing(`${tag} (${id}) ended ${this.#options.lives.get(id)?.ends ?? 0} times`);
      }
    }
  }

  /** Whatever Redis holds has run, ended once, and did not fail unless its handler did. */
  #checkEnds(): void {
    for (const [id, life] of this.#options.lives) {
      const runs = this.#read.runs.get(id) ?? [];
      if (life.ends !== 1) this.#missing(`${id} is ${life.state} and ended ${life.ends} times`);
      if (life.ends > 0 && runs.length === 0) this.#complain('I1', `${id} ${life.state} without ever having run`);
    }
  }

  /** I12: a job runs again without an attempt being spent only where a fault broke a lease meanwhile. */
  #checkExtraRuns(): number {
    const { faults, leaseMs, concurrency, durable } = this.#options;
    const breaking = [...faults.filter(({ kind }) => leaseBreaking.has(kind)), ...this.#options.starved, ...this.#read.lags];
    let [extra, broken] = [0, 0];
    for (const [id, runs] of this.#read.runs) {
      for (const [i, run] of runs.entries()) {
        const before = runs[i - 1];
        if (!before || run.made > before.made) continue;
        extra += 1;
        // One whose handler had ended may have waited to be settled, with any number of others.
        if (before.end === undefined || before.end > run.at) broken += 1;
        const since = before.at - ms(leaseMs);
        if (!breaking.some((fault) => fault.at <= run.at && fault.until + ms(leaseMs) >= since)) {
          this.#complain('I12', `${id} ran again in ${run.process} and no fault explains it`);
        }
      }
    }
    const most = breaking.length * concurrency;
    if (durable && broken > most) this.#complain('I12', `${broken} runs were broken off, more than the ${most} leases that ${breaking.length} faults can break`);
    return extra;
  }

  /** I10: some job is done soon after each fault, if no other fault came in between. */
  #checkProgress(): Spread {
    const { ends } = this.#read;
    const { faults } = this.#options;
    const waits: number[] = [];
    for (const fault of faults) {
      const next = firstAfter(ends, fault.until);
      if (next === undefined) continue;
      if (faults.some((other) => other !== fault && other.at < next && other.until > fault.until)) continue;
      const waited = Number(next - fault.until) / 1e6;
      waits.push(waited);
      if (waited > healedWithinMs) this.#complain('I10', `no job was done for ${Math.round(waited)} ms after ${fault.kind}`);
    }
    return spread(waits);
  }

  /** How soon Redis has taken a job back from a worker that was killed, and how soon another one has begun it. */
  #crashes(): Pick<Figures, 'crashMs' | 'rerunMs' | 'slowRecoveries'> {
    const { faults, leaseMs, lives, clockOffsetMs } = this.#options;
    const waits: number[] = [];
    const reruns: number[] = [];
    const slow: string[] = [];
    for (const { id, killed, next } of this.#brokenOff()) {
      const killedAt = Number(killed.at) / 1e6 + (clockOffsetMs ?? NaN);
      const freedAt = lives.get(id)?.freedAt?.find((at) => at >= killedAt - 1);
      if (freedAt === undefined) continue;
      const freed = BigInt(Math.round((freedAt - (clockOffsetMs ?? 0)) * 1e6));
      if (faults.some((other) => other.at !== killed.at && !local.has(other.kind) && other.at < freed && other.until > killed.at)) continue;
      waits.push(freedAt - killedAt);
      reruns.push(Math.max(0, Number(next.at - freed) / 1e6));
      if (freedAt - killedAt > leaseMs + 1_000) slow.push(`${id} waited again ${Math.round(freedAt - killedAt)} ms after the kill of ${String(killed.pid)}`);
    }
    return { crashMs: spread(waits), rerunMs: spread(reruns), slowRecoveries: slow };
  }

  /** Runs that a kill has broken off, and the run that came next. */
  *#brokenOff(): Generator<{ id: string; killed: FaultRecord & { pid: number | undefined }; next: Run }> {
    for (const fault of this.#options.faults.filter(({ kind }) => kind === 'kill-worker')) {
      const { name, pid } = (fault.detail ?? {}) as { name?: string; pid?: number };
      for (const [id, runs] of this.#read.runs) {
        for (const [i, run] of runs.entries()) {
          const next = runs[i + 1];
          if (next && next.at >= fault.at && run.end === undefined && run.process.startsWith(`${name}-${pid}-`)) yield { id, killed: { ...fault, pid }, next };
        }
      }
    }
  }

  #lose(what: string): void {
    this.#lost += 1;
    this.#missing(what);
  }

  #missing(what: string): void {
    this.#complain('I1', what);
  }

  #complain(invariant: string, what: string): void {
    if (this.#options.durable) this.#options.violations.add(invariant, what);
  }
}

const ms = (value: number): bigint => BigInt(Math.round(value)) * 1_000_000n;

/** The first of the sorted times that is not before `at`. */
function firstAfter(times: readonly bigint[], at: bigint): bigint | undefined {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0n) < at) low = middle + 1;
    else high = middle;
  }
  return times[low];
}

function spread(values: number[]): Spread {
  const sorted = values.map(Math.round).sort((a, b) => a - b);
  return { count: sorted.length, median: sorted[sorted.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 };
}
