import { expect, test } from 'vitest';
import { runStage } from './workload/run-stage.js';
import { openSingle } from './workload/stage.js';

/** Another seed, or the one of a failure: `DROVER_FAULT_SEED=7`. */
const seed = Number(process.env['DROVER_FAULT_SEED'] ?? 1);

test(`20 seconds of faults of every kind on one Redis break no promise (seed ${seed})`, async () => {
  const report = await runStage((options) => openSingle(options), { seed, durationMs: 20_000, jobsPerS: 400 });
  const said = JSON.stringify(report, undefined, 1);
  expect(report.violations, `seed ${seed}\n${said}`).toEqual({});
  expect(report.figures.acknowledged, said).toBeGreaterThan(1_000);
  // Whatever is promised has been put to the test.
  expect(Object.entries(report.figures.covered).filter(([, count]) => count === 0), said).toEqual([]);
  expect(Object.keys(report.faults).length, said).toBeGreaterThan(8);
}, 300_000);
