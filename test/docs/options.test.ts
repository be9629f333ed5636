import { describe, expect, test } from 'vitest';
import { workerDefaults } from '../../src/worker/worker-options.js';
import { codes, rows, section } from './documents.js';
import { checkedBounds, checkedOptions, listedWords } from './source-tables.js';

const page = 'docs/options.md';
const jobOptions = 'src/core/job-options.ts';

/** Per heading of docs/options.md the tables of checks that the code has for it: file and constant. */
const checks: Record<string, [file: string, table: string][]> = {
  'All classes': [['src/queue/queue-base.ts', 'baseChecks']],
  'Queue': [['src/queue/queue.ts', 'queueChecks'], ['src/queue/queue-base.ts', 'nestChecks']],
  'Worker': [['src/worker/worker-options.ts', 'workerChecks']],
  'QueueEvents': [['src/events/queue-events.ts', 'checks']],
  'FlowProducer': [['src/flows/flow-job.ts', 'shapeOfNode']],
  'Jobs': [[jobOptions, 'defaults'], [jobOptions, 'perJob']],
  'Retention': [[jobOptions, 'keep']],
  'Deduplication': [[jobOptions, 'deduplication']],
};

/** The same where the code has a list of names. */
const lists: Record<string, [file: string, list: string]> = {
  'Backoff': ['src/core/backoff.ts', 'OPTIONS'],
  'Schedules': ['src/core/cron.ts', 'OPTIONS'],
};

/** The rows of the table of options right under a heading: option, type, default, bounds, meaning. */
function documented(heading: string): string[][] {
  const text = section(page, heading);
  return rows(text.slice(text.indexOf('| option |')).split('\n\n')[0] ?? '');
}

const optionsOf = (heading: string): string[] => documented(heading).flatMap(([name]) => codes(name)).sort();

/** `parent` takes the keys that BullMQ adds as well; users name two. */
const whole = (name: string): string => (name.startsWith('parent.') ? 'parent' : name);

describe('docs/options.md lists exactly the options that the code checks', () => {
  test.each(Object.entries(checks))('%s', (heading, tables) => {
    const known = tables.flatMap(([file, table]) => checkedOptions(file, table)).map(whole);
    expect(optionsOf(heading)).toEqual([...new Set(known)].sort());
  });

  test.each(Object.entries(lists))('%s', (heading, [file, list]) => {
    expect(optionsOf(heading)).toEqual(listedWords(file, list).sort());
  });
});

describe('docs/options.md tells their bounds', () => {
  test.each(Object.entries(checks))('%s', (heading, tables) => {
    const bounds = new Map(tables.flatMap(([file, table]) => [...checkedBounds(file, table)]));
    const told = new Map(documented(heading).map(([name, , , text, meaning]) => [codes(name)[0] ?? '', { text, meaning }]));
    const silent = (name: string): boolean => told.get(name)?.meaning?.startsWith('accepted') ?? true;
    const wrong = [...bounds].filter(([name, text]) => !silent(name) && !told.get(name)?.text?.startsWith(text));
    expect(wrong).toEqual([]);
  });
});

test('docs/options.md tells the defaults of a worker', () => {
  const told = Object.fromEntries(documented('Worker').map(([name, , value]) => [codes(name)[0], value]));
  const defaults = Object.entries(workerDefaults).map(([name, value]) => [name, value.toLocaleString('en-US')]);
  expect(told).toMatchObject(Object.fromEntries(defaults));
});
