// How long any one call holds Redis with a million jobs in the queue. `npm run test:longest`.
import { parseArgs } from 'node:util';
import { serverBinary } from '../../support/servers/binary.js';
import { startRedis } from '../../support/servers/start-redis.js';
import { saveResult } from '../results.js';
import { ScriptTimes } from './script-times.js';
import { Processors } from './processors.js';
import { Steps } from './steps.js';

const usage = `npm run test:longest -- [--jobs N]

--jobs  how many jobs are in the queue (default 1,000,000)`;

/** What no call may exceed, in ms. */
const boundMs = 50;

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '1000000' }, help: { type: 'boolean' } } });

if (values.help) console.log(usage);
else process.exitCode = await main(Number(values.jobs));

async function main(jobs: number): Promise<number> {
  const server = await startRedis({ config: Processors.serverConfig });
  const steps = new Steps(server, jobs);
  const processors = new Processors(server.pid);
  try {
    const times = await ScriptTimes.start(await server.control());
    const report = (step: string, longest: Awaited<ReturnType<ScriptTimes['during']>>): void =>
      console.log(`${step.padEnd(36)} ${longest ? `${longest.ms.toFixed(1).padStart(7)} ms  ${longest.script}, median ${longest.medianMs.toFixed(1)} ms; all calls ${longest.cpuMs.toFixed(1)} ms of CPU each` : '      –'}`);
    report(`fill with ${jobs.toLocaleString('en')} jobs`, await times.during('fill', () => steps.fill()));
    for (const step of steps.all()) report(step.name, await times.during(step.name, step.run));
    print(times);
    const file = saveResult('longest', { jobs, boundMs, heldUpMs: processors.heldUpMs, server: serverBinary(), node: process.version, scripts: times.all });
    const [longest] = times.all;
    if (processors.heldUpMs !== undefined) console.log(`Redis waited ${processors.heldUpMs.toFixed(0)} ms in all for a processor: what other programs took from it counts as time of its calls.`);
    console.log(`\nlongest call with ${jobs.toLocaleString('en')} jobs: ${longest?.longestMs.toFixed(1)} ms (${longest?.script}, ${longest?.during}); bound ${boundMs} ms; ${file}`);
    return longest && longest.longestMs < boundMs ? 0 : 1;
  } finally {
    await steps.close();
    await server.stop();
  }
}

function print(times: ScriptTimes): void {
  console.log(`\n${'script'.padEnd(18)} ${'> 1 ms'.padStart(7)} ${'longest'.padStart(10)} ${'median'.padStart(10)}  while`);
  for (const { script, calls, longestMs, medianMs, during } of times.all) {
    console.log(`${script.padEnd(18)} ${String(calls).padStart(7)} ${longestMs.toFixed(1).padStart(7)} ms ${medianMs.toFixed(1).padStart(7)} ms  ${during}`);
  }
  console.log('All others stayed below a millisecond.');
}
