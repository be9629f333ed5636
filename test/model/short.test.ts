import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bench } from './play/bench.js';
import { play } from './play/run.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

test('the scripts do what the model says, whatever is called in whatever order, also on damaged state', { timeout: 300_000 }, async () => {
  const { failure, commands } = await play(bench, { seed: Math.floor(Math.random() * 2 ** 31), runs: 60, length: 60 });
  expect(failure && `${failure.message}\nagain: npm run test:model -- --seed ${failure.seed} --path ${failure.path} --length 60`).toBeUndefined();
  expect(commands).toBeGreaterThan(0);
});
