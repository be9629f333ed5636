import sharp from 'sharp';
import { stat } from 'node:fs/promises';
import { emailQueue, retries, type Email } from '../email/queue.js';
import { imageQueue } from '../images/queue.js';
import { sizes } from '../images/worker.js';
import { reminderQueue } from '../delayed/queue.js';
import { apiQueue, type Contact } from '../rate-limited/queue.js';
import { limiter } from '../rate-limited/limiter.js';
import { choreQueue, schedules, type ChoreName } from '../repeatable/queue.js';
import { count, duration, some } from './format.js';
import type { OutsideLog } from './outside-world.js';
import type { Drawn } from './pictures.js';
import { fateOf, type Fate, type Plan } from './plan.js';
import { dueAt, jobsOf, type AnyJob, type AnyQueue } from './records.js';
import { ascending, percentile } from './report.js';
import { Victim } from './victim.js';

export interface Check {
  claim: string;
  /** The figures to the claim, when it holds. */
  found: string;
  problems: string[];
}

/** What there was to do, and what the witnesses have seen. */
export interface Evidence {
  plan: Plan;
  emails: readonly Email[];
  pictures: readonly Drawn[];
  contacts: readonly Contact[];
  outside: OutsideLog;
  /** The ids of the jobs that the killed worker had in hand. */
  orphans: ReadonlySet<string>;
  /** Queue and id of every other job that was taken away from its worker, although none of those was killed. */
  recovered: readonly string[];
}

export async function check(evidence: Evidence): Promise<Check[]> {
  return [
    everyEmailArrived(evidence),
    await deadLettersAreTheRightOnes(evidence),
    retriesWereSpaced(evidence),
    await orphansWereRecovered(evidence),
    await everyPictureIsThere(evidence),
    await rateWasNeverExceeded(evidence),
    await nothingStartedEarly(evidence),
    await schedulesRanOncePerSlot(evidence),
    await nothingElseWentWrong(evidence),
  ];
}

function everyEmailArrived({ emails, outside, orphans, plan }: Evidence): Check {
  const arrivals = new Map(outside.mail.accepted);
  const problems: string[] = [];
  let twice = 0;
  for (const { to } of emails) {
    const times = arrivals.get(to) ?? 0;
    arrivals.delete(to);
    const deliverable = isDeliverable(to);
    if (deliverable && times === 0) problems.push(`the mail for ${to} never arrived`);
    if (!deliverable && times > 0) problems.push(`a mail for ${to} arrived, and the server refuses that address`);
    twice += Math.max(0, times - 1);
  }
  for (const address of arrivals.keys()) problems.push(`a mail arrived for ${address}, and nobody had sent one`);
  if (twice > orphans.size) problems.push(`${twice} mails arrived twice, and only ${orphans.size} were in the hands of the killed worker`);
  const expected = plan.emails.total - plan.emails.mailboxFull - plan.emails.unknownUser;
  return { claim: 'every e-mail arrived', found: `${count(expected)}, ${twice} of them twice (${orphans.size} were in flight when the worker was killed)`, problems };
}

async function deadLettersAreTheRightOnes({ emails }: Evidence): Promise<Check> {
  const doomed = new Map(emails.filter(({ to }) => !isDeliverable(to)).map(({ to }) => [to, fateOf(to)]));
  const found: Record<'mailboxFull' | 'unknownUser', number> = { mailboxFull: 0, unknownUser: 0 };
  const problems: string[] = [];
  for (const { data, attemptsMade, failedReason } of await jobsOf(emailQueue, 'failed')) {
    const fate = doomed.get(data.to);
    if (fate !== 'mailboxFull' && fate !== 'unknownUser') {
      problems.push(`the mail for ${data.to} is dead, and should not be: ${failedReason}`);
      continue;
    }
    doomed.delete(data.to);
    found[fate]++;
    const { attempts, code } = deaths[fate];
    if (attemptsMade !== attempts) problems.push(`the mail for ${data.to} died after ${some(attemptsMade, 'attempt')} instead of ${attempts}`);
    if (!failedReason.includes(code)) problems.push(`the mail for ${data.to} died of "${failedReason}" instead of a ${code}`);
  }
  for (const address of doomed.keys()) problems.push(`the mail for ${address} is not among the dead letters`);
  return {
    claim: 'the dead letters are exactly those that had to die',
    found: `${found.mailboxFull} after ${retries.attempts} attempts (452), ${found.unknownUser} at once (550)`,
    problems,
  };
}

const deaths = {
  mailboxFull: { attempts: retries.attempts, code: '452' },
  unknownUser: { attempts: 1, code: '550' },
};

function retriesWereSpaced({ outside, orphans, emails }: Evidence): Check {
  const problems: string[] = [];
  const gaps: number[][] = Array.from({ length: retries.attempts - 1 }, () => []);
  const { delay, jitter } = retries.backoff;
  const full = outside.mail.refused.filter(([address]) => fateOf(address) === 'mailboxFull');
  for (const [address, atMs] of full) {
    // Tries that the killed worker began are not the backoff's.
    if (atMs.length !== retries.attempts) {
      if (atMs.length < retries.attempts || orphans.size === 0) problems.push(`${address} was tried ${some(atMs.length, 'time')} instead of ${retries.attempts}`);
      continue;
    }
    for (const [retry, samples] of gaps.entries()) {
      const gap = (atMs[retry + 1] ?? NaN) - (atMs[retry] ?? NaN);
      samples.push(gap);
      const least = delay * 2 ** retry * (1 - jitter);
      if (!(gap >= least - clockToleranceMs)) problems.push(`retry ${retry + 1} of ${address} came after ${gap} ms, before the ${least} ms of its backoff`);
    }
  }
  const medians = gaps.map((samples) => duration(percentile(samples.sort(ascending), 50)));
  const greylisted = emails.filter(({ to }) => fateOf(to) === 'greylisted').length;
  return { claim: 'retries backed off exponentially', found: `${medians.join(', ')} at the median, backlog included; ${greylisted} greylisted addresses got through`, problems };
}

async function orphansWereRecovered({ orphans }: Evidence): Promise<Check> {
  const problems: string[] = [];
  if (orphans.size === 0) problems.push('the killed worker had nothing in hand, so nothing was shown');
  const missing = new Set(orphans);
  let byTheKilled = 0;
  for (const job of [...(await jobsOf(emailQueue, 'completed')), ...(await jobsOf(emailQueue, 'failed'))]) {
    if (job.processedBy === Victim.worker) byTheKilled++;
    if (!missing.delete(job.id)) continue;
    if (job.processedBy === Victim.worker) problems.push(`job ${job.id} counts as finished by the killed worker, which had not finished it`);
  }
  for (const id of missing) problems.push(`job ${id} died with its worker`);
  return { claim: 'no job died with the killed worker', found: `it had finished ${count(byTheKilled)}, and the ${orphans.size} it still held were finished by the other`, problems };
}

async function everyPictureIsThere({ pictures }: Evidence): Promise<Check> {
  const problems: string[] = [];
  const drawn = new Map(pictures.map((picture) => [picture.path, picture]));
  let bytes = 0;
  for (const { data, returnvalue } of await jobsOf(imageQueue, 'completed')) {
    const source = drawn.get(data.source);
    drawn.delete(data.source);
    if (!source) problems.push(`${data.source} was resized twice, or never drawn`);
    else for (const [index, size] of sizes.entries()) {
      const path = returnvalue[index]?.path ?? '(no path)';
      const problem = await problemWith(path, { ...expectedSize(source, size.name), format: size.format });
      if (problem) problems.push(`${path}: ${problem}`);
      else bytes += (await stat(path)).size;
    }
  }
  for (const path of drawn.keys()) problems.push(`${path} was not resized`);
  return { claim: 'every resized image is on disk, in its format and size', found: `${count(pictures.length * sizes.length)} of ${some(pictures.length, 'picture')}, ${(bytes / 1e6).toFixed(1)} MB`, problems };
}

/** Worked out here by hand, and not by the code that is being checked. */
function expectedSize({ width, height }: Drawn, size: string): { width: number; height: number } {
  if (size === 'thumbnail') return { width: 160, height: 160 };
  const scale = (size === 'large' ? 1024 : 480) / Math.max(width, height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

async function problemWith(path: string, expected: { width: number; height: number; format: string }): Promise<string | undefined> {
  try {
    const { width, height, format } = await sharp(path).metadata();
    if (width === expected.width && height === expected.height && format === expected.format) return undefined;
    return `${format} of ${width}×${height} instead of ${expected.format} of ${expected.width}×${expected.height}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function rateWasNeverExceeded({ contacts, outside: { api } }: Evidence): Promise<Check> {
  const problems: string[] = [];
  const calls = await jobsOf(apiQueue, 'completed');
  const busiest = busiestWindow(calls.map(({ processedOn }) => processedOn ?? NaN).sort(ascending));
  if (!(busiest <= limiter.max)) problems.push(`${busiest} calls began within ${limiter.duration} ms`);
  if (api.tooMany > 0) problems.push(`the API refused ${some(api.tooMany, 'call')} as too many`);

  if (api.disturbances > 0) problems.push(`the API asked for a break, and got ${some(api.disturbances, 'call')} during it`);

  const called = new Set(api.contacts);
  for (const { contactId } of contacts) if (!called.has(contactId)) problems.push(`the contact ${contactId} was never sent to the API`);

  const refused = calls.find(({ data }) => data.contactId === api.askedForBreak);
  if (!refused) problems.push('the API never asked for a break');
  else if (refused.attemptsMade > 1) problems.push(`the call that the API put off was charged ${refused.attemptsMade} attempts`);
  return { claim: 'the rate limit held', found: `${some(calls.length, 'API call')}, at most ${busiest} per second (limit ${limiter.max}), none while the API wanted a break`, problems };
}

/** A window opens with the first call after the one before it has closed. */
function busiestWindow(startedAt: readonly number[]): number {
  let opened = -Infinity;
  let calls = 0;
  let busiest = 0;
  for (const at of startedAt) {
    if (at - opened >= limiter.duration - clockToleranceMs) {
      opened = at;
      calls = 0;
    }
    busiest = Math.max(busiest, ++calls);
  }
  return busiest;
}

async function nothingStartedEarly({ plan }: Evidence): Promise<Check> {
  const problems: string[] = [];
  const jobs = await jobsOf(reminderQueue, 'completed');
  const lateMs = jobs.map((job) => lateness(job)).sort(ascending);
  if (jobs.length !== plan.reminders.total) problems.push(`${jobs.length} of ${some(plan.reminders.total, 'reminder')} ran`);
  const early = lateMs.filter((ms) => !(ms >= -clockToleranceMs));
  if (early.length > 0) problems.push(`${early.length} started early, by up to ${duration(-(early[0] ?? 0))}`);
  const [p50, p99] = [percentile(lateMs, 50), percentile(lateMs, 99)];
  return { claim: 'no delayed job started early', found: `${count(jobs.length)}, late by ${duration(p50)} (p50), ${duration(p99)} (p99), ${duration(lateMs.at(-1) ?? NaN)} at most`, problems };
}

async function schedulesRanOncePerSlot({ plan }: Evidence): Promise<Check> {
  const problems: string[] = [];
  const jobs = await jobsOf(choreQueue, 'completed');
  const everyMs: Record<ChoreName, number> = { heartbeat: schedules.heartbeat.every, rollup: 2_000 };
  const found = (['heartbeat', 'rollup'] as const).map((name) => {
    const slots = jobs.filter((job) => job.name === name).map(dueAt).sort(ascending);
    if (slots.length < plan.runs[name]) problems.push(`${name} ran ${some(slots.length, 'time')} instead of ${plan.runs[name]}`);
    for (const [index, slot] of slots.entries()) {
      const gap = slot - (slots[index - 1] ?? NaN);
      if (gap < everyMs[name] / 2) problems.push(`${name} ran twice for one slot, ${gap} ms apart`);
      if (gap > everyMs[name] * 1.5) problems.push(`${name} missed a slot: nothing for ${gap} ms`);
      if (name === 'rollup' && distanceToMultiple(slot, everyMs.rollup) > 20) problems.push(`rollup was due at ${new Date(slot).toISOString()}, which "${schedules.rollup.pattern}" does not name`);
    }
    return `${name} ${some(slots.length, 'run')}`;
  });
  return { claim: 'every schedule ran once per slot', found: found.join(', '), problems };
}

async function nothingElseWentWrong({ recovered }: Evidence): Promise<Check> {
  const problems = recovered.map((job) => `the job ${job} was recovered from a worker that was alive`);
  const others: readonly AnyQueue[] = [imageQueue, apiQueue, reminderQueue, choreQueue];
  for (const queue of others) {
    for (const { id, failedReason } of await jobsOf(queue, 'failed')) problems.push(`${queue.name}: job ${id} failed: ${failedReason}`);
  }
  return { claim: 'no other job failed or lost its worker', found: '', problems };
}

/** Both clocks are rounded to whole milliseconds. */
const clockToleranceMs = 2;

function lateness(job: AnyJob): number {
  return (job.processedOn ?? NaN) - dueAt(job);
}

function distanceToMultiple(value: number, step: number): number {
  const rest = value % step;
  return Math.min(rest, step - rest);
}

function isDeliverable(address: string): boolean {
  const deliverable: Record<Fate, boolean> = { fine: true, greylisted: true, mailboxFull: false, unknownUser: false };
  return deliverable[fateOf(address)];
}
