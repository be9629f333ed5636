import * as bullmq from 'bullmq';
import { expect, test } from 'vitest';
import * as drover from 'drover';
import { redisUrl, uniqueName } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';
import { recorder, type Told } from './span-recorder.js';
import { scenarios, type Scenario, type Stage } from './span-scenarios.js';

/** What Drover means to tell otherwise: lines that only BullMQ tells (`- `) or only Drover (`+ `). Any other difference fails, and one of these that is gone. */
const differences: { scenario: string; at: RegExp; because: string }[] = [
  { scenario: 'a queue', at: /^- close /, because: 'a second close waits for the end of the first, which is told already' },
  { scenario: 'a schedule', at: /^\+ add q\.s3 .* failed$/, because: 'a schedule that is refused is told, as a job is' },
  { scenario: 'flows', at: /^[-+] addNode .*"alone"/, because: 'of many flows, each is told whole before the next' },
  { scenario: 'flows', at: /^[-+] \["bare carries",?/, because: 'every job of a flow carries its trace, also one without options' },
  { scenario: 'a worker', at: /^- startStalledCheckTimer /, because: 'a worker that runs looks for stalled jobs when the first lease runs out; it has no timer to start' },
  { scenario: 'a worker', at: /^[-+] rateLimit /, because: 'the name of the worker is told with its id, as elsewhere' },
];

const { hostname: host, port } = new URL(redisUrl);

/** What one library tells, a line a span. */
async function linesOf(library: 'bullmq' | 'drover', name: string, scenario: Scenario): Promise<string[]> {
  const told = recorder();
  const opts = { connection: { host, port: Number(port) }, prefix: library, telemetry: told.telemetry };
  const stage: Stage = { ...told, library: library === 'bullmq' ? bullmq as unknown as typeof drover : drover, name, opts };
  const more = await scenario(stage);
  await until('every span has ended', () => told.open.size === 0);
  const lines = told.spans.map(lineOf);
  // What timers do has no order among the rest, and happens more or less often.
  const byItself = /^(extendLocks|moveStalledJobsToWait) /;
  // Only this one job waits for its renewal; another's is renewed where the machine is slow.
  const ofAnother = /^extendLocks (?!.*\["long"\])/;
  return [
    ...lines.filter((line) => !byItself.test(line)),
    ...new Set(lines.filter((line) => byItself.test(line) && !ofAnother.test(line)).sort()),
    ...told.counts.map(([metric, attributes]) => `${metric} ${inOrder(attributes)}`),
    ...((more ?? []) as unknown[]).map((each) => JSON.stringify(each)),
  ].map((line) => line.replaceAll(name, 'q').replaceAll(/(repeat:\w+:)\d+/g, '$1slot'));
}

function lineOf({ name, kind, parent, attributes: said, events, failed }: Told): string {
  // Jobs without options have ids that the library makes.
  const attributes = said['bullmq.job.name'] === 'bare' ? { ...said, 'bullmq.job.id': 'made' } : said;
  return `${name} kind ${kind} below "${parent}" ${inOrder(attributes)}${events.map((event) => ` ${JSON.stringify(event)}`).join('')}${failed ? ' failed' : ''}`;
}

const inOrder = (attributes: object = {}): string => JSON.stringify(Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))));

/** The lines that only one of them has at its place: a longest common subsequence is left out. */
function apart(theirs: readonly string[], ours: readonly string[]): string[] {
  const best = Array.from({ length: theirs.length + 1 }, () => Array.from({ length: ours.length + 1 }, () => 0));
  const at = (i: number, j: number): number => best[i]?.[j] ?? 0;
  for (let i = theirs.length - 1; i >= 0; i--) {
    for (let j = ours.length - 1; j >= 0; j--) {
      (best[i] as number[])[j] = theirs[i] === ours[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: string[] = [];
  for (let i = 0, j = 0; i < theirs.length || j < ours.length;) {
    if (i < theirs.length && j < ours.length && theirs[i] === ours[j]) [i, j] = [i + 1, j + 1];
    else if (j >= ours.length || (i < theirs.length && at(i + 1, j) >= at(i, j + 1))) found.push(`- ${theirs[i++]}`);
    else found.push(`+ ${ours[j++]}`);
  }
  return found;
}

test.each(Object.entries(scenarios))('of %s, telemetry is told what BullMQ tells it', async (title, scenario) => {
  const name = uniqueName();
  const theirs = await linesOf('bullmq', name, scenario);
  const found = apart(theirs, await linesOf('drover', name, scenario));
  expect(theirs.length).toBeGreaterThan(2);
  const meant = differences.filter((difference) => difference.scenario === title);
  expect(found.filter((line) => !meant.some(({ at }) => at.test(line)))).toEqual([]);
  expect(meant.filter(({ at }) => !found.some((line) => at.test(line)))).toEqual([]);
});
