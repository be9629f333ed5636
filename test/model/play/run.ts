import fc from 'fast-check';
import type { Bench } from './bench.js';
import { plan, type Script } from './plan.js';
import type { Step } from './player.js';
import { Divergence, verify } from './verify.js';

export interface RunOptions {
  seed: number;
  /** Of a failure that was found before: only its last run is made. */
  path?: string | undefined;
  runs: number;
  /** The most steps of a run. */
  length: number;
}

export interface Report {
  seed: number;
  runs: number;
  commands: number;
  seconds: number;
  failure: Failure | undefined;
}

export interface Failure {
  seed: number;
  path: string;
  message: string;
  damaged: boolean;
  steps: readonly Step[];
}

/** Plays random runs against Redis until one differs from the model, and makes that one short. */
export async function play(bench: Bench, { seed, path, runs, length }: RunOptions): Promise<Report> {
  let commands = 0;
  let count = 0;
  const startedAt = performance.now();
  const details = await fc.check(fc.asyncProperty(scripts(length), async (script) => {
    const steps = plan(script);
    commands += steps.length;
    count += 1;
    verify(steps, await bench.run(steps), script.damaged);
  }), { seed, numRuns: runs, ...(path !== undefined && { path, endOnFailure: false }) });
  const report = { seed, runs: count, commands, seconds: (performance.now() - startedAt) / 1000 };
  if (!details.failed) return { ...report, failure: undefined };
  const error = details.errorInstance;
  const script = details.counterexample?.[0];
  return {
    ...report,
    failure: {
      seed: details.seed, path: details.counterexamplePath ?? '', damaged: script?.damaged ?? false,
      message: error instanceof Divergence ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error),
      steps: error instanceof Divergence ? error.steps : script ? plan(script) : [],
    },
  };
}

/** Every third run is one in which the state is damaged. Only steps are taken away to make a run short, none is changed. */
function scripts(length: number): fc.Arbitrary<Script> {
  return fc.noBias(fc.record({
    damaged: fc.noShrink(fc.nat(2)).map((kind) => kind === 0),
    dice: fc.array(fc.noShrink(fc.integer()), { minLength: 1, maxLength: length, size: 'max' }),
  }));
}
