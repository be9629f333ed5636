import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { differences } from './differences.js';
import { compile, onlyPublic, root } from './program.js';
import { compareSurfaces } from './surface.js';

const findings = compareSurfaces();
const found = new Map(findings.map((finding) => [finding.name, finding]));

describe('every public name of BullMQ', () => {
  test('is read from its declarations', () => {
    const names = findings.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([
      'Queue', 'Queue.add', 'Worker.static RateLimitError', 'Job.moveToFailed', 'WorkerOptions.metrics', 'QueueEventsListener.completed',
      'FlowProducer.getFlow', 'UnrecoverableError', 'MetricsTime.ONE_WEEK', 'PRIORITY_LIMIT', 'Processor',
    ]));
    expect(names.length).toBeGreaterThan(1_000);
  });

  test('is there with a type that fits, or is in the table of differences', () => {
    const untold = findings.filter(({ name, owner, verdict }) => verdict !== 'same' && !(name in differences) && !(owner in differences));
    expect(untold.map(({ name, verdict, because }) => `${name} ${verdict}: ${because ?? ''}`)).toEqual([]);
  });

  test('that is in the table is one that BullMQ has', () => {
    expect(Object.keys(differences).filter((name) => !found.has(name))).toEqual([]);
  });

  test('that the table calls left out is not there, and one that it calls better is', () => {
    const wrong = Object.entries(differences).filter(([name, { verdict }]) => (found.get(name)?.verdict === 'missing') !== (verdict === 'left out'));
    expect(wrong).toEqual([]);
  });

  test('that the table calls better does differ, or stands for what differs', () => {
    const undone = Object.entries(differences).filter(([, { verdict }]) => verdict === 'better').map(([name]) => name);
    const still = new Set(compareSurfaces((name) => name in differences && differences[name]?.verdict === 'left out')
      .filter(({ verdict }) => verdict === 'differs').map(({ name, owner }) => [name, owner]).flat());
    expect(undone.filter((name) => !still.has(name) && !namedElsewhere.has(name))).toEqual([]);
  });
});

/** What the compiler cannot tell once the backends are cut out. */
const namedElsewhere = new Set([
  'Queue.constructor', 'Worker.constructor', 'QueueEvents.constructor', 'QueueEventsProducer.constructor', 'FlowProducer.constructor',
  'ConnectionOptions', 'ClusterOptions', 'RedisOptions', 'RedisClient', 'QueueKeys',
]);

describe('code written against BullMQ', () => {
  const name = 'test/compat/bullmq/code-for-bullmq.ts';
  const code = readFileSync(path.join(root, name), 'utf8');

  test.each([
    ['BullMQ', './node_modules/bullmq/dist/esm/index.d.ts'],
    ['Drover', './src/index.ts'],
  ])('compiles against %s', (_library, entry) => {
    const program = compile(new Map([[name, code]]), onlyPublic(() => false), { bullmq: [entry] });
    const file = program.getSourceFile(path.join(root, name));
    expect(file).toBeDefined();
    expect(program.getSemanticDiagnostics(file).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });
});
