import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Board, declaredRoutes, type Kind } from './board.js';
import { setUpProject, setUpTimeout } from './program.js';
import { ofJobs } from './routes/of-jobs.js';
import { ofQueues } from './routes/of-queues.js';
import { ofSchedules } from './routes/of-schedules.js';

const cases = Object.entries({ ...ofQueues, ...ofJobs, ...ofSchedules });
/** Each route works on queues of its own. */
const names = new Map(cases.map(([route], i) => [route, `queue${i}`]));
let board: Board;

beforeAll(async () => {
  await setUpProject();
  board = await new Board([...names.values()]).listening();
}, setUpTimeout);

afterAll(async () => {
  expect(await board.close()).toEqual({ code: 0, errors: '' });
});

test('every route that bull-board declares is called below', () => {
  expect(cases.map(([route]) => route).sort()).toEqual(declaredRoutes().api);
});

test('every page that bull-board declares is served', async () => {
  for (const route of declaredRoutes().pages) {
    const { status, body } = await board.call(route, { queueName: 'queue0-bullmq', jobId: '1' });
    expect([route, status]).toEqual([route, 200]);
    expect(body).toContain('<div id="root"');
  }
});

describe.each<Kind>(['bullmq', 'bull'])('bull-board with its adapter for %s answers', (kind) => {
  test.each(cases)('%s', async (route, run) => {
    const stage = board.stage(names.get(route) ?? '', kind);
    onTestFinished(() => stage.close());
    await run(stage, route);
  });
});
