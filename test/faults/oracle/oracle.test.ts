import { expect, onTestFinished, test } from 'vitest';
import { rmSync } from 'node:fs';
import { temporaryDirectory } from '../../support/servers/guardian.js';
import { HistoryWriter } from '../infra/history.js';
import { limitedOf, limits, schedule } from '../workload/spec.js';
import type { FaultRecord } from '../infra/nemesis.js';
import { checkHistory, type Figures } from './history-check.js';
import type { Life } from './tape.js';
import { Violations } from './violations.js';

const life: Life = { state: 'completed', takes: 1, stalls: 0, ends: 1, takenAt: 0, takenBefore: 0, added: 1, taken: 1, ended: 1 };
const queue = 'q';

async function judge(write: (history: HistoryWriter) => void, lives: Record<string, Life>, faults: FaultRecord[] = [], clockOffsetMs?: number): Promise<{ broken: string[]; figures: Figures }> {
  const folder = temporaryDirectory('oracle');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const history = new HistoryWriter(folder, 'one');
  write(history);
  history.close();
  const violations = new Violations();
  const figures = await checkHistory({ folder, queue, lives: new Map(Object.entries(lives)), faults, starved: [], leaseMs: 1, concurrency: 1, clockOffsetMs, durable: true, violations });
  return { broken: Object.keys(violations.toJSON()), figures };
}

const ran = (history: HistoryWriter, job: string, tag: string, made = 0): void => {
  history.append({ type: 'start', queue, job, epoch: 1, value: { tag, made } });
  history.append({ type: 'end', queue, job, epoch: 1, value: 'done' });
};

test('finds nothing where everything went well', async () => {
  const { broken, figures } = await judge((history) => {
    history.invoke('add', { tags: ['t'] })('ok', ['a']);
    ran(history, 'a', 't');
  }, { a: life });
  expect(broken).toEqual([]);
  expect(figures).toMatchObject({ asked: 1, acknowledged: 1, runs: 1, extraRuns: 0 });
});

test('finds a job that was acknowledged and never ran', async () => {
  expect((await judge((history) => history.invoke('add', { tags: ['t'] })('ok', ['a']), {})).broken).toEqual(['I1']);
});

test('finds a job that failed and never ran', async () => {
  expect((await judge((history) => history.invoke('add', { tags: ['t'] })('unknown'), { a: { ...life, state: 'failed' } })).broken).toEqual(['I1']);
});

test('finds a job that ended twice', async () => {
  const { broken } = await judge((history) => {
    history.invoke('add', { tags: ['t'] })('ok', ['a']);
    ran(history, 'a', 't');
  }, { a: { ...life, ends: 2 } });
  expect(broken).toEqual(['I1']);
});

test('finds a job that became two', async () => {
  const { broken } = await judge((history) => {
    history.invoke('add', { tags: ['t'] })('unknown');
    ran(history, 'a', 't');
    ran(history, 'b', 't');
  }, { a: life, b: life });
  expect(broken).toEqual(['I2']);
});

test('finds a job that was refused and ran all the same', async () => {
  const { broken } = await judge((history) => {
    history.invoke('add', { tags: ['t'] })('fail');
    ran(history, 'a', 't');
  }, { a: life });
  expect(broken).toEqual(['I2']);
});

test('lets a job run again only after a fault that breaks leases, or another attempt', async () => {
  const twice = (made: number) => (history: HistoryWriter): void => {
    history.invoke('add', { tags: ['t'] })('ok', ['a']);
    ran(history, 'a', 't');
    ran(history, 'a', 't', made);
  };
  const fault = (kind: string): FaultRecord => ({ kind, at: process.hrtime.bigint(), until: process.hrtime.bigint() + 10n ** 10n });
  expect((await judge(twice(1), { a: life })).broken).toEqual([]);
  expect((await judge(twice(0), { a: life })).broken).toEqual(['I12']);
  expect((await judge(twice(0), { a: life }, [fault('script-flush')])).broken).toEqual(['I12']);
  expect((await judge(twice(0), { a: life }, [fault('pause-worker')])).broken).toEqual([]);
});

test('finds a job that was handed out before one that was added before it', async () => {
  const both = (history: HistoryWriter): void => {
    history.invoke('add', { tags: ['t', 'u'], plain: [1, 1] })('ok', ['a', 'b']);
    ran(history, 'a', 't');
    ran(history, 'b', 'u');
  };
  const [first, second] = [{ ...life, added: 1, taken: 3 }, { ...life, added: 2, taken: 4 }];
  expect((await judge(both, { a: first, b: second })).broken).toEqual([]);
  expect((await judge(both, { a: { ...first, taken: 5 }, b: second })).broken).toEqual(['I5']);
});

test('finds more starts than the limit allows', async () => {
  const starts = (gapMs: number) => (history: HistoryWriter): void => {
    for (let i = 0; i <= limits.max; i += 1) {
      history.append({ type: 'start', queue: limitedOf(queue), job: `l${i}`, epoch: 1_000 + i * gapMs, value: { tag: `l${i}`, made: 0 } });
    }
  };
  expect((await judge(starts(limits.durationMs / limits.max), {}, [], 0)).broken).toEqual([]);
  expect((await judge(starts(limits.durationMs / limits.max - 1), {}, [], 0)).broken).toEqual(['I8']);
});

test('finds a slot without a run', async () => {
  const slots = (...numbers: number[]): Record<string, Life> => Object.fromEntries(numbers.map((n) => [`repeat:${schedule.id}:${n * schedule.everyMs}`, life]));
  const all = (history: HistoryWriter): void => Object.keys(slots(1, 2, 3)).forEach((id) => ran(history, id, schedule.id));
  expect((await judge(all, slots(1, 2, 3), [], 0)).broken).toEqual([]);
  expect((await judge(all, slots(1, 3), [], 0)).broken).toEqual(['I9']);
});

test('finds two jobs of one deduplication id at once', async () => {
  const both = (history: HistoryWriter): void => {
    history.invoke('add', { tags: ['t'], dedup: 'd' })('ok', ['a']);
    ran(history, 'a', 't');
    history.invoke('add', { tags: ['u'], dedup: 'd' })('ok', ['b']);
    ran(history, 'b', 'u');
  };
  const first = { ...life, added: 1, ended: 3 };
  expect((await judge(both, { a: first, b: { ...life, added: 4 } })).broken).toEqual([]);
  expect((await judge(both, { a: first, b: { ...life, added: 2 } })).broken).toEqual(['I2']);
});

test('finds a parent that begins before its children have run, or without their results', async () => {
  const family = (order: readonly string[], heard = 1) => (history: HistoryWriter): void => {
    history.invoke('add', { tags: ['parent', 'child'], flow: true })('ok', ['parent', 'child']);
    for (const id of order) {
      if (id === 'child') ran(history, id, id);
      else history.append({ type: 'start', queue, job: id, epoch: 1, value: { tag: id, made: 0, children: 1, heard } });
    }
  };
  const lives = { parent: life, child: life };
  expect((await judge(family(['child', 'parent']), lives)).broken).toEqual([]);
  expect((await judge(family(['parent', 'child']), lives)).broken).toEqual(['flows']);
  expect((await judge(family(['child', 'parent'], 0), lives)).broken).toEqual(['flows']);
});
