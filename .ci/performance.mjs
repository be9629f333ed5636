// Writes the figures of a full benchmark into docs/performance.md and README.md, so that no number there is typed by hand:
// node .ci/performance.mjs benchmarks/results/<date>.json

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fill, table } from './pages.mjs';
import { main, SetupError } from './steps.mjs';

const times = (ratio) => (ratio === undefined || ratio === null ? '–' : `${ratio < 1 ? ratio.toFixed(2) : ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0)} ×`);
const goals = { atLeast: '≥', atMost: '≤', below: '<' };
const goal = (target) => Object.entries(target ?? {}).map(([kind, ratio]) => `${goals[kind]} ${times(ratio)}`).join(', ');
const said = ({ versions }, name) => `${name} ${versions[name]}`;
const on = ({ date, redis, node, cores }) => `${date.slice(0, 10)}, Redis ${redis}, Node ${node.replace(/^v/, '')}, ${cores} cores`;

/** Every row that compares with BullMQ, with what it was to be. */
function whole(result) {
  const compared = result.rows.filter(({ ratio }) => typeof ratio === 'number');
  const judged = compared.filter(({ met }) => met !== undefined && met !== null);
  const rows = compared.map(({ label, better, ratio, target, met }) => [
    label, better, met === false ? `**${times(ratio)}**` : times(ratio), goal(target), met === undefined || met === null ? '' : met ? 'yes' : 'no',
  ]);
  return [
    `${on(result)}, ${result.rounds} rounds, ${said(result, 'drover')} beside ${said(result, 'bullmq')}: ${judged.filter(({ met }) => met).length} of ${judged.length} targets met.`,
    '',
    table(['row', 'better', 'ratio to BullMQ', 'target', 'met'], rows),
  ].join('\n');
}

/** The rows that tell a reader most, in the README's words. */
const chosen = [
  ['add-bulk', 'jobs added in bulk a second'], ['add-awaited', 'jobs added one by one a second'], ['process-100', 'jobs processed a second, concurrency 100'],
  ['process-1', 'the same, concurrency 1'],
  ['latency', 'time from `add` to the handler’s start, idle worker, median'], ['latency-apart', 'the same, worker in another process'], ['delayed', 'delayed jobs, added and processed a second'], ['flow', 'flows of 1 + 1,000 jobs, added and processed a second'],
  ['payload-100k', 'jobs of 100 KB added a second'], ['memory', 'Redis memory per waiting job'], ['idle', 'commands that idle workers send'],
];

function short(result) {
  const rows = chosen.flatMap(([workload, words]) => {
    const found = result.rows.find((each) => each.workload === workload && typeof each.ratio === 'number');
    return found ? [[words, times(found.ratio)]] : [];
  });
  return [`Beside ${said(result, 'bullmq')} in the same run (${on(result)}):`, '', table(['', 'Drover, as a multiple of BullMQ'], rows)].join('\n');
}

await main(([file]) => {
  if (file === undefined) throw new SetupError('Name the result file of a full run: node .ci/performance.mjs benchmarks/results/<date>.json');
  const result = JSON.parse(readFileSync(path.resolve(file), 'utf8'));
  fill('docs/performance.md', 'bench', whole(result));
  fill('README.md', 'bench', short(result));
  return 0;
});
