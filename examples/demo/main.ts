import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { paint, some } from './format.js';
import { fullPlan, quickPlan } from './plan.js';

const usage = `npm run demo [-- --quick]

  --quick   the same with fewer jobs, in less than 15 seconds
  --help    this text
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, problem } = readArgs();
  if (problem) {
    console.error(`${problem}\n\n${usage}`);
    return 2;
  }
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const { REDIS_URL } = process.env;
  if (!REDIS_URL) {
    console.error('REDIS_URL is not set. "npm run demo" starts a private Redis and sets it.');
    return 2;
  }
  console.log(`${paint.bold('Drover, the demo')} ${paint.dim(`· Redis at ${new URL(REDIS_URL).host} · Node.js ${process.versions.node} · ${some(availableParallelism(), 'core')}`)}`);

  // The queues of this run are its own, also in a Redis that is used for something else.
  process.env['QUEUE_PREFIX'] = `drover-demo-${process.pid}`;
  const stop = stopAtSignals();
  // Loaded only now, because the queues connect when they are loaded.
  const { run } = await import('./run.js');
  try {
    return (await run(values.quick ? quickPlan : fullPlan, stop.signal)) ? 0 : 1;
  } catch (error) {
    if (stop.signal.aborted) {
      console.log(`\n${paint.bold('Stopped')}: workers closed, queues and files removed.`);
      return Number(stop.signal.reason);
    }
    console.error(`\n${paint.red(error instanceof Error ? (error.stack ?? error.message) : String(error))}`);
    return 1;
  } finally {
    // A Redis that went away would keep its clients, and so the process, waiting for it.
    setTimeout(() => process.exit(), 1_000).unref();
  }
}

function readArgs() {
  const none = { quick: false, help: false };
  try {
    const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
    return { values, problem: undefined };
  } catch (error) {
    return { values: none, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** The first signal asks everything to end; the reason of the abortion is the exit code that the signal stands for. */
function stopAtSignals(): AbortController {
  const stop = new AbortController();
  const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  for (const [signal, exitCode] of Object.entries(exitCodes)) {
    process.on(signal, () => {
      stop.abort(exitCode);
      setTimeout(() => process.exit(exitCode), 20_000).unref();
    });
  }
  return stop;
}
