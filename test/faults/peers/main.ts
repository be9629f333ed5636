// The same faults for Drover and its peers, counted by the same oracle. `npm run test:peers`.
import { parseArgs } from 'node:util';
import { serverBinary } from '../../support/servers/binary.js';
import { startRedis } from '../../support/servers/start-redis.js';
import { saveResult } from '../results.js';
import { engines, stallsOf, terms } from './engines.js';
import type { Count } from './trial.js';
import { trials } from './trials.js';

const usage = `npm run test:peers -- [--seed N] [--jobs N] [--engines drover,bullmq,bull]

--seed     what the proxy draws comes from it (default 1)
--jobs     jobs of each trial, and replies lost at most (default 200)
--engines  whom to try (default all)`;

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, jobs: { type: 'string', default: '200' }, engines: { type: 'string' }, help: { type: 'boolean' } },
});

interface Row extends Count {
  readonly trial: string;
  readonly engine: string;
  readonly version: string;
}

const columns: readonly (keyof Count)[] = ['added', 'faults', 'lost', 'duplicated', 'runAgain', 'failedUnrun', 'failed', 'stuck', 'unsettled', 'longestPauseMs'];

// What an engine forgets to catch after a fault is its own affair; it must not end the trials of the others.
process.on('unhandledRejection', () => undefined);

if (values.help) console.log(usage);
else await main();
// Peers leave handles open after a fault.
process.exit();

async function main(): Promise<void> {
  const [seed, jobs] = [Number(values.seed), Number(values.jobs)];
  const chosen = engines.filter(({ name }) => values.engines?.split(',').includes(name) ?? true);
  const rows: Row[] = [];
  for (const [trial, run] of Object.entries(trials)) {
    console.log(`\n${trial}\n${'engine'.padEnd(16)}${columns.map((name) => name.padStart(15)).join('')}`);
    for (const engine of chosen) {
      const server = await startRedis();
      try {
        const count = await run({ engine, server, seed, jobs });
        rows.push({ trial, engine: engine.name, version: engine.version, ...count });
        console.log(`${`${engine.name} ${engine.version}`.padEnd(16)}${columns.map((name) => String(count[name]).padStart(15)).join('')}`);
      } finally {
        await server.stop();
      }
    }
  }
  console.log(`\n${saveResult('peers', { seed, jobs, terms, stallsOf, server: serverBinary(), node: process.version, rows })}`);
}
