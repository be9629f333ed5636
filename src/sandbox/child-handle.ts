import { ClosedError, InvalidInputError } from '../core/errors.js';
import { Deferred } from './deferred.js';
import { exitedBefore, killed, type ChildExitError, type Crash } from './exit-error.js';
import { answer } from './job-calls.js';
import type { Exit, Link, LinkListener } from './link.js';
import { decode, encode, ProtocolError, readFromChild, type ToParent } from './messages.js';
import type { SandboxJobHost } from './sandboxed-job.js';
import { decodeThrown, describeThrown, encodeThrown, type RestoreError } from './thrown.js';

/**
 * Where a child is in its life:
 *
 *     starting → idle → busy → idle …   it loads the handler once, then runs one job at a time
 *     idle → leaving                    it was asked to end
 *     any → doomed                      it was killed or is crashing; nothing it says counts any more
 *     any → gone                        it has ended
 */
type Phase = 'starting' | 'idle' | 'busy' | 'leaving' | 'doomed' | 'gone';

export interface ChildSettings {
  /** The file URL of the handler. */
  file: string;
  open(listener: LinkListener): Link;
  startTimeoutMs: number;
  killGraceMs: number;
  restoreError: RestoreError | undefined;
}

/** A job on a child. */
export interface Assignment {
  job: SandboxJobHost;
  token: string | undefined;
  signal: AbortSignal;
}

interface Run {
  id: number;
  job: SandboxJobHost;
  outcome: Deferred<unknown>;
}

/** How long a child may take to go after it was asked, or to be gone after it was killed. */
const goingMs = 5000;

/** The parent's side of one child. */
export class ChildHandle {
  readonly #settings: ChildSettings;
  readonly #link: Link;
  readonly #loaded = new Deferred<void>();
  readonly #gone = new Deferred<void>();
  #phase: Phase = 'starting';
  #run: Run | undefined;
  #served = 0;
  #kill: { why: string; cause?: unknown } | undefined;
  #crash: Crash | undefined;
  #deadline: NodeJS.Timeout | undefined;

  /** Throws what `fork` or `new Worker` throws on bad options. */
  constructor(settings: ChildSettings) {
    this.#settings = settings;
    this.#link = settings.open({ onMessage: (raw) => this.#receive(raw), onExit: (exit) => this.#ended(exit) });
    this.#link.send({ kind: 'load', file: settings.file });
    const { startTimeoutMs } = settings;
    this.#setDeadline(startTimeoutMs, () => this.kill(`had not loaded its handler within ${startTimeoutMs} ms`));
  }

  /** Resolves when the handler is loaded; rejects when it cannot be, or the child ends before. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  /** Resolves when the child has ended. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  get isIdle(): boolean {
    return this.#phase === 'idle';
  }

  /** How many jobs it has been given. */
  get served(): number {
    return this.#served;
  }

  /** Runs a job on this idle child. Settles as the handler does, or rejects with a ChildExitError. */
  async perform({ job, token, signal }: Assignment): Promise<unknown> {
    const facts = encode(job.asSandbox());
    const run = this.#begin(job);
    this.#link.send({ kind: 'run', run: run.id, job: facts, token });
    const cancel = (): void => this.#cancel(run, signal.reason);
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      return await run.outcome.promise;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** Lets the child go if it holds no job: an idle one is asked to end, a starting one is killed. */
  leave(): void {
    if (this.#phase === 'starting') return this.kill('was not needed any more');
    if (this.#phase !== 'idle') return;
    this.#phase = 'leaving';
    this.#link.hold(true);
    this.#link.send({ kind: 'leave' });
    this.#setDeadline(goingMs, () => this.kill('did not end when asked to'));
  }

  /** Ends the child at once, whatever it does; `why` completes “it …”. */
  kill(why: string, cause?: unknown): void {
    if (this.#phase === 'gone' || this.#kill) return;
    this.#kill = { why, cause };
    this.#doom();
    this.#link.kill();
    // A process in an uninterruptible wait cannot be killed yet; nobody waits for it longer than this.
    this.#setDeadline(goingMs, () => this.#ended({ code: null, signal: null }));
  }

  #begin(job: SandboxJobHost): Run {
    if (this.#phase !== 'idle') throw new ClosedError('sandboxed child');
    const run = { id: ++this.#served, job, outcome: new Deferred<unknown>() };
    this.#phase = 'busy';
    this.#run = run;
    this.#link.hold(true);
    return run;
  }

  #cancel(run: Run, reason: unknown): void {
    if (this.#run !== run || this.#phase !== 'busy') return;
    this.#link.send({ kind: 'cancel', run: run.id, reason: encodeThrown(reason) });
    const { killGraceMs } = this.#settings;
    this.#setDeadline(killGraceMs, () => this.kill(`had not stopped ${killGraceMs} ms after it was cancelled`, reason));
  }

  #receive(raw: unknown): void {
    if (this.#phase === 'doomed' || this.#phase === 'gone') return;
    try {
      const message = readFromChild(raw);
      if (message) this.#obey(message);
    } catch (cause) {
      this.kill('broke the protocol', cause);
    }
  }

  #obey(message: ToParent): void {
    const restore = this.#settings.restoreError;
    switch (message.kind) {
      case 'loaded':
        return this.#ready();
      case 'unloadable':
        return this.#unloadable(decodeThrown(message.error, restore));
      case 'call':
        return this.#serve(message);
      case 'completed': {
        const value = decode(message.value);
        return this.#finish(message.run).resolve(value);
      }
      case 'failed': {
        const thrown = decodeThrown(message.error, restore);
        return this.#finish(message.run).reject(thrown);
      }
      case 'crashed':
        return this.#crashed(decodeThrown(message.error, restore));
      default:
        return message satisfies never;
    }
  }

  #ready(): void {
    if (this.#phase !== 'starting') throw new ProtocolError('A child loaded its handler twice.');
    this.#rest();
    this.#loaded.resolve();
  }

  #unloadable(cause: unknown): void {
    const { what, hint } = reasonOf(cause);
    const message = `The handler file ${this.#settings.file} could not be loaded: ${/[.!?]$/.test(what) ? what : `${what}.`}`;
    this.#loaded.reject(new InvalidInputError('INVALID_HANDLER', { field: 'processor', message, hint, cause }));
    this.kill('could not load its handler', cause);
  }

  #serve(call: Extract<ToParent, { kind: 'call' }>): void {
    const host = this.#run?.id === call.run ? this.#run.job : undefined;
    answer(call, host)
      .then((reply) => this.#link.send(reply))
      .catch((cause: unknown) => this.kill('could not be answered', cause));
  }

  #finish(id: number): Deferred<unknown> {
    const run = this.#run;
    if (run?.id !== id) throw new ProtocolError('A child ended a job that it does not hold.');
    this.#run = undefined;
    this.#rest();
    return run.outcome;
  }

  #crashed(thrown: unknown): void {
    this.#crash = { thrown, text: describeThrown(thrown) };
    this.#doom();
    this.#setDeadline(goingMs, () => this.kill('did not end after it had crashed', thrown));
  }

  #rest(): void {
    this.#phase = 'idle';
    this.#clearDeadline();
    this.#link.hold(false);
  }

  #doom(): void {
    this.#phase = 'doomed';
    this.#link.hold(true);
  }

  #ended(exit: Exit): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    this.#clearDeadline();
    const error = this.#exitError(exit);
    this.#loaded.reject(error);
    this.#run?.outcome.reject(error);
    this.#run = undefined;
    this.#gone.resolve();
  }

  #exitError(exit: Exit): ChildExitError {
    const { label } = this.#link;
    if (this.#kill && !this.#crash) return killed(label, exit, this.#kill);
    const what = this.#run ? 'the job had ended' : 'it could take a job';
    return exitedBefore(what, { label, exit, crash: this.#crash });
  }

  /** There is one deadline at a time: for starting, for stopping after a cancellation, or for going. */
  #setDeadline(ms: number, act: () => void): void {
    this.#clearDeadline();
    if (Number.isFinite(ms)) this.#deadline = setTimeout(act, ms);
  }

  #clearDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}

/** Why a file could not be loaded. What Drover itself found wrong says what to do about it. */
function reasonOf(cause: unknown): { what: string; hint: string } {
  const { name, message, hint } = cause instanceof Error ? (cause as Error & { hint?: unknown }) : { name: '', message: '', hint: undefined };
  if (name === 'InvalidInputError' && typeof hint === 'string' && message.endsWith(hint)) return { what: message.slice(0, -hint.length).trim(), hint };
  return { what: describeThrown(cause), hint: 'Correct the file; the stack of `cause` tells where it went wrong.' };
}
