import { expect, onTestFinished, test } from 'vitest';
import { rmSync } from 'node:fs';
import { temporaryDirectory } from '../../support/servers/guardian.js';
import { HistoryWriter } from '../infra/history.js';
import type { FaultRecord } from '../infra/nemesis.js';
import { checkHistory, type Figures } from './history-check.js';
import type { Life } from './tape.js';
import { Violations } from './violations.js';

const life: Life = { state: 'completed', takes: 1, stalls: 0, ends: 1, takenAt: 0, takenBefore: 0 };
const queue = 'q';

async function judge(write: (history: HistoryWriter) => void, lives: Record<string, Life>, faults: FaultRecord[] = []): Promise<{ broken: string[]; figures: Figures }> {
  const folder = temporaryDirectory('oracle');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const history = new HistoryWriter(folder, 'one');
  write(history);
  history.close();
  const violations = new Violations();
  const figures = await checkHistory({ folder, lives: new Map(Object.entries(lives)), faults, leaseMs: 1, concurrency: 1, clockOffsetMs: undefined, durable: true, violations });
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
