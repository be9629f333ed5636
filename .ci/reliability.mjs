// Writes the figures of result files into docs/reliability.md, so that no number there is typed by hand:
// node .ci/reliability.mjs test/faults/results/*.json
// Each file fills the block of its kind (faults, long, longest, peers, lost-replies); the others stay as they are.

import { readFileSync } from 'node:fs';
import { count, fill, table } from './pages.mjs';
import { main, SetupError } from './steps.mjs';

const page = 'docs/reliability.md';
const sumOf = (counts) => Object.values(counts).reduce((sum, each) => sum + each, 0);
const on = ({ date, server, node }) => `${date.slice(0, 10)}, ${server.product} ${server.version.join('.')}, Node ${node.replace(/^v/, '')}`;

/** What a run of faults came to: jobs, faults and violations by stage. */
function faults(result) {
  const { seed, minutes, tookMinutes, jobs, rounds, summary, broken } = result;
  const command = `npm run test:faults -- --seed ${seed} --minutes ${minutes} --jobs ${jobs}`;
  const rows = summary.map((each) => [
    each.stage, count(each.acknowledged), count(sumOf(each.faults)), count(each.runs), count(each.extraRuns), each.lost > 0 ? `${count(each.lost)} (by design)` : '0', each.violations,
    `${count(each.mostProgressMs)} ms`, each.crashes > 0 ? `${count(each.mostCrashMs)} ms of ${each.crashes}` : '–',
  ]);
  return [
    `\`${command}\`, ${on(result)}: **${count(result.acknowledged)} jobs, ${count(sumOf(result.faults))} faults, ${result.violations} violations** in ${tookMinutes.toFixed(0)} minutes${rounds > 1 ? ` and ${rounds} rounds with the seeds ${seed} to ${seed + rounds - 1}` : ''}.`,
    ...(broken.length > 0 ? [`Did not come to an end: ${broken.map((line) => line.split('\n')[0]).join('; ')}.`] : []),
    '',
    table(['stage', 'jobs', 'faults', 'runs', 'of these again', 'lost', 'violations', 'longest wait for progress', 'longest crash recovery'], rows),
    '',
    `Faults by kind: ${Object.entries(result.faults).sort((a, b) => b[1] - a[1]).map(([kind, number]) => `${kind} ${count(number)}`).join(', ')}.`,
  ].join('\n');
}

function long(result) {
  const { endurance } = result;
  const memory = endurance && [
    '',
    `Memory of processes that lived through all of it, under lost replies and cut connections (${count(endurance.jobs)} jobs in ${endurance.minutes.toFixed(0)} minutes, ${endurance.faults} faults, the first ${endurance.warmUpMinutes.toFixed(0)} minutes left out):`,
    '',
    table(['process', 'mean', 'growth an hour'], endurance.curves.map(({ process: name, meanMb, growthPercentPerHour }) => [name, `${meanMb.toFixed(0)} MB`, growthPercentPerHour === undefined ? 'too short to tell' : `${growthPercentPerHour.toFixed(2)} %`])),
  ];
  return [faults(result), ...(memory ?? [])].join('\n');
}

function longest(result) {
  const [worst] = result.scripts;
  return [
    `\`npm run test:longest\`, ${on(result)}, ${count(result.jobs)} jobs in the queue: **${worst.longestMs.toFixed(1)} ms** (${worst.script}, ${worst.during}); the bound is ${result.boundMs} ms.${result.heldUpMs === undefined ? '' : ` Redis waited ${count(Math.round(result.heldUpMs))} ms in all for a processor.`}`,
    '',
    table(['call', 'calls above 1 ms', 'longest', 'median of its slowest step', 'while'], result.scripts.slice(0, 12).map((each) => [each.script, count(each.calls), `${each.longestMs.toFixed(1)} ms`, `${each.medianMs.toFixed(1)} ms`, each.during])),
  ].join('\n');
}

function peers(result) {
  const rows = result.rows.map((each) => [
    each.trial, `${each.engine} ${each.version}`, each.added, each.faults, each.lost, each.duplicated, each.failedUnrun, each.runAgain, each.stuck, `${count(each.longestPauseMs)} ms`,
  ]);
  return [
    `\`npm run test:peers -- --seed ${result.seed} --jobs ${result.jobs}\`, ${on(result)}.`,
    '',
    table(['fault', 'engine', 'jobs added', 'faults', 'never run', 'became several', 'failed without having run', 'run again', 'left over', 'longest standstill'], rows),
  ].join('\n');
}

const blocks = { faults, long, longest, peers };

await main((files) => {
  if (files.length === 0) throw new SetupError('Name result files: node .ci/reliability.mjs test/faults/results/*.json');
  for (const file of [...files].sort()) {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    const write = blocks[result.kind];
    if (!write) throw new SetupError(`${file} is of no kind that has a place in ${page}: ${result.kind}`);
    fill(page, result.kind, write(result));
  }
  return 0;
});
