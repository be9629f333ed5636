import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { remindIn, reminderQueue } from '../delayed/queue.js';
import { startReminderWorker } from '../delayed/worker.js';
import { confirmOrders, emailQueue } from '../email/queue.js';
import { startEmailWorker } from '../email/worker.js';
import { imageQueue, resizeAll } from '../images/queue.js';
import { startImageWorker } from '../images/worker.js';
import { apiQueue, syncContacts } from '../rate-limited/queue.js';
import { startApiWorker } from '../rate-limited/worker.js';
import { choreQueue, scheduleChores, type ChoreName } from '../repeatable/queue.js';
import { startChoreWorker } from '../repeatable/worker.js';
import { check, type Check, type Evidence } from './checks.js';
import { Child } from './child.js';
import { Cleanup, within } from './cleanup.js';
import { count, duration, paint, rate, some, wrap } from './format.js';
import type { Addresses, OutsideLog } from './outside-world.js';
import { drawPictures, type Drawn } from './pictures.js';
import { planContacts, planEmails, type Plan } from './plan.js';
import { Progress } from './progress.js';
import type { AnyQueue } from './records.js';
import { printReports, reportOn } from './report.js';
import { Victim } from './victim.js';
import { Workload } from './workload.js';

const queues: readonly AnyQueue[] = [emailQueue, imageQueue, apiQueue, reminderQueue, choreQueue];
const stuckAfterMs = 30_000;
const lookEveryMs = 100;

/** The demo from its set-up to its verdict: true when everything was as it should be. */
export async function run(plan: Plan, signal: AbortSignal): Promise<boolean> {
  const cleanup = new Cleanup();
  try {
    const startedAt = Date.now();
    const evidence = await work(plan, signal, cleanup);

    heading('Results');
    printReports(await Promise.all(queues.map(reportOn)));

    heading('Checks');
    return verdict(await check(evidence), Date.now() - startedAt);
  } finally {
    for (const problem of await cleanup.run()) console.error(paint.red(`Not cleaned up: ${problem}`));
  }
}

async function work(plan: Plan, signal: AbortSignal, cleanup: Cleanup): Promise<Evidence> {
  cleanup.add('closing the queues', () => Promise.all(queues.map((queue) => queue.close())));
  cleanup.add('emptying the queues', () => Promise.all(queues.map((queue) => queue.obliterate({ force: true }))));
  const directory = await mkdtemp(join(tmpdir(), 'drover-demo-'));
  cleanup.add('removing the temporary files', () => rm(directory, { recursive: true, force: true }));

  heading('Preparing');
  const outside = new Child('./outside-world.ts', [String(Math.floor(plan.apiCalls / 2))]);
  cleanup.add('ending the mail server', () => outside.kill('SIGKILL'));
  const { smtp, apiUrl } = await outside.message<Addresses>();
  said(`a mail server and an HTTP API, in a process of their own (pid ${outside.pid})`);

  const victim = new Victim(smtp);
  cleanup.add('ending the second process', () => victim.end());
  await victim.ready();
  said(`a second process with an e-mail worker, concurrency 10 (pid ${victim.pid})`);

  const pictures = await draw(join(directory, 'pictures'), plan.pictures, signal);

  heading('Working');
  const emails = planEmails(plan.emails);
  const contacts = planContacts(plan.apiCalls);
  const resizedDir = join(directory, 'resized');
  await mkdir(resizedDir);
  await timed(emails.length, 'e-mails added with addBulk', () => confirmOrders(emails));
  await timed(pictures.length, 'pictures added with addBulk', () => resizeAll(pictures.map(({ path }) => ({ source: path, targetDir: resizedDir }))));
  await timed(contacts.length, 'API calls added with addBulk', () => syncContacts(contacts));
  await timed(plan.reminders.total, 'reminders added one by one, each with its own delay', () => Promise.all(planReminders(plan.reminders)));
  await scheduleChores();
  said('two schedules: heartbeat every second, rollup by cron every two seconds');
  console.log();

  const emailWorker = startEmailWorker(smtp, { name: 'first-process', concurrency: 50, stalledInterval: 500 });
  const choreWorker = startChoreWorker();
  const workers = [emailWorker, choreWorker, startImageWorker(), startApiWorker(apiUrl), startReminderWorker()];
  cleanup.add('closing the workers', () => Promise.all(workers.map((worker) => worker.close())));

  const recovered: string[] = [];
  for (const worker of workers) if (worker !== emailWorker) worker.on('stalled', (id: string) => recovered.push(`${worker.name} ${id}`));
  choreWorker.on('completed', endScheduleAfter(plan.runs));

  const workloads = [
    new Workload(emailQueue, emails.length),
    new Workload(imageQueue, pictures.length),
    new Workload(apiQueue, contacts.length),
    new Workload(reminderQueue, plan.reminders.total),
    new Workload(choreQueue, plan.runs.heartbeat + plan.runs.rollup),
  ];
  const progress = new Progress(workloads.map(({ bar }) => bar));
  cleanup.add('stopping the bars', () => progress.stop());

  emailWorker.on('active', ({ id }) => {
    const ms = victim.begunElsewhere(id);
    if (ms !== undefined) progress.say(`  ${paint.green('✓')} its leases ran out, and the first process took its jobs over, the last ${duration(ms)} after the kill`);
  });
  const atHalf = async (): Promise<void> => {
    await victim.kill();
    progress.say(`  ${paint.yellow('!')} the second process was killed with SIGKILL, ${some(victim.orphans.size, 'job')} in its hands`);
  };
  await watch(workloads, emails.length / 2, atHalf, signal);
  progress.stop();

  outside.send('report');
  return { plan, emails, pictures, contacts, outside: await outside.message<OutsideLog>(), orphans: victim.orphans, recovered };
}

async function draw(directory: string, total: number, signal: AbortSignal): Promise<Drawn[]> {
  const startedAt = Date.now();
  const bar = { label: 'drawing pictures', done: 0, total, note: '' };
  const progress = new Progress([bar]);
  try {
    return await drawPictures(directory, total, signal, (done) => (bar.done = done));
  } finally {
    bar.note = `done in ${duration(Date.now() - startedAt)}`;
    progress.stop();
  }
}

/** Delays spread evenly, in an order that is not the order of the delays. */
function planReminders({ total, minDelayMs, maxDelayMs }: Plan['reminders']) {
  const step = (maxDelayMs - minDelayMs) / total;
  return Array.from({ length: total }, (_, index) => {
    const delayMs = Math.round(minDelayMs + step * ((index * 7) % total));
    return remindIn(delayMs, { user: `customer-${index + 1}`, text: 'Your cart is still waiting' });
  });
}

/** Removes a schedule as soon as it has run often enough. */
function endScheduleAfter(runs: Plan['runs']) {
  const left = { ...runs };
  return ({ name }: { name: ChoreName }): void => {
    if (--left[name] !== 0) return;
    choreQueue.removeJobScheduler(name).catch((error: unknown) => console.error(`the schedule ${name} could not be removed:`, error));
  };
}

/** Looks at the queues until all is done; calls `atHalf` once, when so many e-mails have been dealt with. */
async function watch(workloads: readonly Workload[], half: number, atHalf: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (const workload of workloads) workload.start();
  let pastHalf = false;
  let finished = 0;
  let movedAt = Date.now();
  while (!workloads.every(({ done }) => done)) {
    await sleep(lookEveryMs, undefined, { signal });
    await within(stuckAfterMs, 'counting the jobs in Redis', () => Promise.all(workloads.map((workload) => workload.refresh())));

    const finishedNow = workloads.reduce((sum, workload) => sum + workload.finished, 0);
    if (finishedNow > finished) movedAt = Date.now();
    finished = finishedNow;
    if (Date.now() - movedAt > stuckAfterMs) {
      throw new Error(`no job came to an end for ${duration(stuckAfterMs)}\n${workloads.map((workload) => `  ${workload.describe()}`).join('\n')}`);
    }
    if (!pastHalf && (workloads[0]?.finished ?? 0) >= half) {
      pastHalf = true;
      await atHalf();
    }
  }
}

async function timed(jobs: number, what: string, action: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await action();
  const ms = performance.now() - startedAt;
  said(`${count(jobs)} ${what} ${paint.dim(`in ${duration(ms)}, ${rate(jobs / (ms / 1_000))}`)}`);
}

function heading(title: string): void {
  console.log(`\n${paint.bold(title)}\n`);
}

function said(what: string): void {
  console.log(`  ${paint.green('✓')} ${what}`);
}

function verdict(checks: readonly Check[], elapsedMs: number): boolean {
  const shown = 5;
  for (const { claim, found, problems } of checks) {
    if (problems.length === 0) console.log(wrap(`  ${paint.green('✓')} `, `${claim}${found && `: ${found}`}`));
    else console.log(wrap(`  ${paint.red('✗')} `, `not true: ${claim}`));
    for (const problem of problems.slice(0, shown)) console.log(`      ${paint.red(problem)}`);
    if (problems.length > shown) console.log(`      ${paint.red(`and ${some(problems.length - shown, 'more problem')}`)}`);
  }
  const failed = checks.filter(({ problems }) => problems.length > 0).length;
  const conclusion = failed === 0 ? paint.green(`All ${checks.length} checks passed`) : paint.red(`${failed} of ${checks.length} checks failed`);
  console.log(`\n${paint.bold(conclusion)} in ${duration(elapsedMs)}.`);
  return failed === 0;
}
