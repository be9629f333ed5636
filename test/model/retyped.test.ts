import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bench } from './play/bench.js';
import { meetRetyped, summaryOf, tornRows } from './play/retyped.js';
import { scripts } from './wire/scripts.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const page = readFileSync(new URL('../../docs/model-test.md', import.meta.url), 'utf8');
const documented = new Set([...page.matchAll(/^\| `([\w-]+)` \| `[\w.]+` \| .* \|$/gm)].map(([, script]) => script));

test('a script that meets a key of another type leaves everything as it was, but for the documented ones', { timeout: 120_000 }, async () => {
  const summary = summaryOf(await meetRetyped(bench, { seed: Math.floor(Math.random() * 2 ** 31), runs: 45, length: 80, tries: 12 }));
  expect(tornRows(summary).filter(({ script }) => !documented.has(script))).toEqual([]);
  const met = new Set([...summary.keys()].map((at) => at.split(' ')[0]));
  expect(Object.keys(scripts).filter((verb) => verb !== 'plain' && !met.has(verb))).toEqual([]);
});

test('only scripts that are called for every job are among these', () => {
  expect([...documented].sort()).toEqual(['enqueue', 'plant', 'receive', 'settle', 'take-first']);
});
