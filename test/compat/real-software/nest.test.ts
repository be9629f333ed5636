import { beforeAll, describe, expect, test } from 'vitest';
import { queueOf, runProgram, setUpProject, setUpTimeout, type Program } from './program.js';

beforeAll(setUpProject, setUpTimeout);

type Told = [what: string, ...about: unknown[]];
const parsed = (lines: string[]): Told[] => lines.map((line) => JSON.parse(line) as Told);
/** What was told under one heading, in whatever order. */
const about = (told: Told[], what: string): string[] => told.filter(([each]) => each === what).map(([, ...rest]) => rest.join(': ')).sort();
const cleanExit = { code: 0, signal: null, errors: '' };

/** Lets the program run to its end, which has to come by itself. */
async function finished(program: Program): Promise<Told[]> {
  const told = parsed(await program.rest());
  expect(await program.ended).toEqual(cleanExit);
  return told;
}

describe('a NestJS application on @nestjs/bullmq', () => {
  test('injects queues and a flow producer, consumes, hears all events, and ends', async () => {
    const program = runProgram('nest-bullmq.js');
    const [letters, reports] = [queueOf(program, 'letters'), queueOf(program, 'reports')];
    const told = await finished(program);
    const sent = ['ada', 'autumn', 'bob', 'spring'].map((name) => `sent to ${name}`);
    const names = { 'sent to ada': 'welcome', 'sent to autumn': 'autumn', 'sent to bob': 'late', 'sent to spring': 'spring' };

    expect(about(told, 'worker active')).toEqual(['autumn', 'late', 'lost', 'spring', 'welcome']);
    expect(about(told, 'worker progress')).toEqual(['autumn: 50', 'late: 50', 'spring: 50', 'welcome: 50']);
    expect(about(told, 'worker completed')).toEqual(Object.entries(names).map(([result, name]) => `${name}: ${result}`).sort());
    expect(about(told, 'worker failed')).toEqual(['lost: unknown address']);
    expect(about(told, 'queue completed')).toEqual(sent);
    expect(about(told, 'queue failed')).toEqual(['unknown address']);
    expect(about(told, 'result')).toEqual(['sent to ada']);
    expect(about(told, 'report')).toEqual(['year of sent to autumn and sent to spring']);
    expect(about(told, 'thumbnail')).toEqual(['painted a bridge']);
    expect(told.at(-1)).toEqual(['closed']);

    expect(await letters.getJobCounts('completed', 'failed', 'active', 'waiting')).toEqual({ completed: 4, failed: 1, active: 0, waiting: 0 });
    expect((await letters.getCompleted()).map((job) => job.returnvalue as string).sort()).toEqual(sent);
    expect(await reports.getJobCounts('completed', 'failed')).toEqual({ completed: 1, failed: 0 });
    expect(await letters.getWorkers()).toEqual([]);
  });

  test('lets a running job end when it is told to shut down', async () => {
    const program = runProgram('nest-bullmq.js', ['serve']);
    const letters = queueOf(program, 'letters');
    expect(JSON.parse(await program.line())).toEqual(['serving']);
    const [running, after] = await letters.addBulk([
      { name: 'until closing time', data: { to: 'ada' } },
      { name: 'tomorrow', data: { to: 'bob' }, opts: { delay: 60_000 } },
    ]);
    expect(JSON.parse(await program.line())).toEqual(['worker active', 'until closing time']);
    program.signal('SIGTERM');
    expect(about(parsed(await program.rest()), 'worker completed')).toEqual(['until closing time: sent to ada']);
    // Nest ends its process by the same signal once everything has shut down.
    expect(await program.ended).toEqual({ code: null, signal: 'SIGTERM', errors: '' });
    expect(await running?.getState()).toBe('completed');
    expect(await after?.getState()).toBe('delayed');
  });
});

test('a NestJS application on @nestjs/bull injects queues, consumes, hears all events, and ends', async () => {
  const program = runProgram('nest-bull.js');
  const letters = queueOf(program, 'letters');
  const told = await finished(program);

  expect(about(told, 'active')).toEqual(['ada', 'bob', 'nobody']);
  expect(about(told, 'waiting')).toEqual(['string', 'string', 'string', 'string']);
  expect(about(told, 'progress')).toEqual(['ada: 50']);
  expect(about(told, 'completed')).toEqual(['ada: sent to ada', 'bob: registered for bob']);
  expect(about(told, 'completed registered')).toEqual(['bob: registered for bob']);
  expect(about(told, 'failed')).toEqual(['nobody: unknown address']);
  expect(about(told, 'drained').length).toBeGreaterThan(0);
  expect(about(told, 'removed')).toEqual(['carol']);
  expect(about(told, 'cleaned')).toEqual(['1: failed']);
  expect(told.map(([what]) => what).filter((what) => what === 'paused' || what === 'resumed')).toEqual(['paused', 'resumed']);
  expect(about(told, 'global progress')).toEqual(['50']);
  expect(about(told, 'global completed')).toEqual(['"registered for bob"', '"sent to ada"']);
  expect(about(told, 'global completed registered')).toEqual(['bob']);
  expect(about(told, 'result')).toEqual(['registered for bob', 'sent to ada', 'unknown address']);
  expect(about(told, 'thumbnail')).toEqual(['painted a bridge']);
  expect(told.at(-1)).toEqual(['closed']);

  expect(await letters.getJobCounts('completed', 'failed', 'active', 'waiting')).toEqual({ completed: 2, failed: 0, active: 0, waiting: 0 });
});
