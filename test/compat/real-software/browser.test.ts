import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { until } from '../../support/servers/until.js';
import { Board, type Kind, type Stage } from './board.js';
import { Browser, hostile, hostileName, injected } from './browser.js';
import { setUpProject, setUpTimeout } from './program.js';

let board: Board;
let browser: Browser;

beforeAll(async () => {
  await setUpProject();
  board = await new Board(['mails']).listening();
  browser = await Browser.open(board.url);
}, setUpTimeout);

afterAll(async () => {
  await browser.close();
  expect(await board.close()).toEqual({ code: 0, errors: '' });
});

/** The card of a job in a list, or on its own page. */
const card = (page: Page, text: string) => page.locator('main div[class*=card]').filter({ hasText: text }).last();
const tab = (page: Page, name: string) => page.locator('main a', { hasText: new RegExp(`^${name}`) });

async function confirm(page: Page): Promise<void> {
  const dialog = page.getByRole('alertdialog');
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.waitFor({ state: 'hidden' });
}

/** Presses the button of a job's card that has this icon. */
async function press(page: Page, job: string, icon: string): Promise<void> {
  await card(page, job).locator(`button:has(svg.lucide-${icon})`).click();
  await confirm(page);
}

async function choose(page: Page, item: string): Promise<void> {
  await page.locator('main button:has(svg.lucide-ellipsis-vertical)').click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

async function fill(page: Page, editor: string, text: string): Promise<void> {
  await page.getByRole('dialog').locator(`div:has(> [name=${editor}]) [role=textbox], [id=${editor}] [role=textbox]`).first().click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}

const reaches = (stage: Stage, id: string, state: string) => until(`the job is ${state}`, async () => (await stage.state(id)) === state);

test('hostile text that a page takes for markup is noticed', async () => {
  const page = await browser.page(board.url);
  await page.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(hostile)})`);
  await until('it has called alert', () => browser.complaints.some((complaint) => complaint.startsWith('dialog: 1')));
  expect(await injected(page)).toBeGreaterThan(3);
  await page.close();
  browser.complaints.length = 0;
});

test.each<Kind>(['bullmq', 'bull'])('a person finds, opens, retries, promotes, removes, pauses and adds in a queue of %s', async (kind) => {
  const stage = board.stage('mails', kind);
  onTestFinished(() => stage.close());
  const failed = await stage.add(`failing ${hostileName}`, { html: hostile, [hostile]: [hostile] });
  const job = await stage.take();
  await job.log(`log ${hostile}`);
  await job.updateProgress({ step: hostile });
  await job.moveToFailed(new Error(`broken ${hostile}`), 'token', false);
  const [later, unwanted] = [await stage.add('later', {}, { delay: 3_600_000 }), await stage.add('unwanted', {}, { delay: 7_200_000 })];

  // From the list of queues to the failed job.
  const page = await browser.page(board.url);
  await page.getByRole('link', { name: stage.name, exact: true }).first().click();
  await tab(page, 'FAILED').click();
  await page.getByText(`failing ${hostileName}`).waitFor();
  await page.getByRole('link', { name: failed }).click();
  await page.waitForURL(`**/${stage.name}/${failed}**`);

  // Everything that is hostile is shown as the text that it is.
  const open = card(page, `failing ${hostileName}`);
  for (const [name, shown] of [['Error', 'broken '], ['Data', 'html'], ['Progress', 'step'], ['Options', '{'], ['Logs', 'log ']] as const) {
    await open.locator('button', { hasText: new RegExp(`^${name}$`) }).click();
    await open.getByText(shown).first().waitFor();
    expect(await injected(page)).toBe(0);
  }

  await page.goBack();
  await press(page, `failing ${hostileName}`, 'refresh-cw');
  await reaches(stage, failed, 'waiting');

  await tab(page, 'DELAYED').click();
  await card(page, 'later').waitFor();
  await press(page, 'later', 'corner-up-left');
  await reaches(stage, later, 'waiting');
  await press(page, 'unwanted', 'trash-2');
  await reaches(stage, unwanted, 'unknown');

  await choose(page, 'Pause');
  await confirm(page);
  await until('the queue is paused', () => stage.queue.isPaused());

  await choose(page, 'Add job');
  await page.locator('[name=jobName]').fill('by hand');
  await fill(page, 'jobData', '{ "to": "ada" }');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const added = await until('the job is added', async () => (await stage.queue.getJobs(['waiting', 'prioritized'])).find(({ name }) => name === 'by hand'));
  expect(added).toMatchObject({ data: { to: 'ada' }, opts: { attempts: 2 } });

  await choose(page, 'Resume');
  await confirm(page);
  await until('the queue goes on', async () => !(await stage.queue.isPaused()));
  expect(browser.complaints).toEqual([]);
  await page.close();
}, 90_000);
