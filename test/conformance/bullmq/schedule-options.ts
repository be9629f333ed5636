import { accepted, attempt, once } from '../observe.js';
import type { Scenarios } from './bench.js';

/** What each option of a schedule does. */

const daily = '0 3 * * *';

/** Schedules whose next run is the same whenever they are added. */
const fixedRuns: Record<string, Record<string, unknown>> = {
  'pattern, startDate': { pattern: daily, startDate: '2040-01-01T12:00:00Z', tz: 'UTC' },
  'pattern, tz': { pattern: daily, startDate: '2040-01-01T12:00:00Z', tz: 'America/New_York' },
  'pattern, endDate': { pattern: daily, startDate: new Date('2040-01-01T12:00:00Z'), endDate: '2041-01-01', tz: 'UTC' },
  'every, startDate': { every: 60_000, startDate: Date.parse('2040-01-01T12:00:30Z') },
};

export const scheduleOptions: Scenarios = {
  'schedules through the class JobScheduler': async (bench) => {
    const { lib, base, name } = bench;
    const queue = bench.queue();
    const [scheduler, own] = [await queue.jobScheduler, new lib.JobScheduler(name, base)];
    const isOne = scheduler === (await queue.jobScheduler);
    const job = await own.upsertJobScheduler('s', { every: 3_600_000 }, 'tick', { n: 1 }, { attempts: 2 }, { override: true });
    await own.upsertJobScheduler('t', { pattern: daily, tz: 'UTC' }, 'tock', undefined, {}, { override: true });
    const seen = [
      isOne, [scheduler, own].map((each) => each instanceof lib.JobScheduler), [job?.name, job?.data, job?.opts.attempts, job?.repeatJobKey],
      await own.upsertJobScheduler('new', { every: 5000 }, 'tick', 1, {}, { override: false }),
      await scheduler.getSchedulersCount(), (await scheduler.getJobSchedulers(0, 0, true)).map(({ key }) => key), (await scheduler.getScheduler('t'))?.name,
      await scheduler.getScheduler('none'), await scheduler.isJobScheduler('s'), await scheduler.isJobScheduler('none'),
      await scheduler.removeJobScheduler('s'), await scheduler.removeJobScheduler('s'), await queue.getJobSchedulersCount(),
    ];
    await own.close();
    return seen;
  },
  'the next run of a schedule': async (bench) => {
    const queue = bench.queue();
    const seen: Record<string, unknown> = {};
    for (const [form, repeat] of Object.entries(fixedRuns)) {
      await queue.upsertJobScheduler(form, repeat, { name: 'n' });
      seen[form] = new Date((await queue.getJobScheduler(form))?.next ?? 0).toISOString();
    }
    return seen;
  },
  'getNextMillis': async ({ lib }) => {
    const noon = Date.parse('2040-01-01T12:00:00Z');
    const repeats = [...Object.values(fixedRuns).filter(({ pattern }) => pattern), { every: 7000 }, { pattern: '@hourly', tz: 'UTC' }, { pattern: daily, tz: 'UTC', endDate: noon + 1 }];
    const at = (millis: number | undefined): unknown => (millis === undefined ? 'never' : new Date(millis).toISOString());
    return [repeats.map((repeat) => [at(lib.getNextMillis(noon, repeat)), at(lib.defaultRepeatStrategy(noon - 1, repeat))])];
  },
  'immediately, and offset': async (bench) => {
    const queue = bench.queue();
    await queue.upsertJobScheduler('now', { pattern: daily, immediately: true }, { name: 'now' });
    await queue.upsertJobScheduler('off', { every: 3_600_000, offset: 1234 }, { name: 'off' });
    const ran: string[] = [];
    const worker = bench.worker(async ({ name }) => void ran.push(name));
    const completed = once(worker, 'completed');
    void worker.run();
    await completed;
    return [ran, (await queue.getJobScheduler('off'))?.offset];
  },
  'which options the template of a schedule may give': async (bench) => {
    const queue = bench.queue();
    const given: Record<string, object> = { attempts: { attempts: 2 }, priority: { priority: 3 }, delay: { delay: 5 }, deduplication: { deduplication: { id: 'x' } }, jobId: { jobId: 'j' }, repeat: { repeat: { every: 5 } } };
    const seen: Record<string, boolean> = {};
    for (const [name, opts] of Object.entries(given)) seen[name] = await accepted(() => queue.upsertJobScheduler(name, { every: 3_600_000, offset: 1 }, { name: 'n', opts }));
    return seen;
  },
  'ends of schedules': async (bench) => {
    const queue = bench.queue();
    const now = Date.now();
    const ends: Record<string, Record<string, unknown>> = {
      'an end in the past': { every: 60_000, endDate: now - 1 }, 'start after end': { every: 60_000, startDate: now + 100_000, endDate: now + 50_000 },
      'start and immediately': { every: 60_000, startDate: now + 100_000, immediately: true }, 'start is end': { every: 60_000, startDate: now + 100_000, endDate: now + 100_000 },
    };
    const seen: Record<string, unknown> = {};
    for (const [name, repeat] of Object.entries(ends)) seen[name] = [await accepted(() => queue.upsertJobScheduler(name, repeat, { name: 'n' })), (await queue.getJobScheduler(name)) !== undefined];
    const ran: string[] = [];
    const worker = bench.worker(async ({ name }) => void ran.push(name));
    const begun = Date.now();
    const soon = { every: 200, offset: 0, startDate: undefined };
    await queue.upsertJobScheduler('limit first', { ...soon, limit: 1, endDate: begun + 60_000 }, { name: 'limit first' });
    await queue.upsertJobScheduler('start is end', { every: 200, startDate: begun + 300, endDate: begun + 300 }, { name: 'start is end' });
    void worker.run();
    while (ran.length < 2) await once(worker, 'completed');
    await new Promise((resolve) => setTimeout(resolve, 500));
    return [seen, ran.sort()];
  },
  'schedules when clocks change': async ({ lib }) => {
    const nights: Record<string, string[]> = { 'Europe/Berlin': ['2026-03-28T20:00Z', '2026-10-24T20:00Z'], 'America/New_York': ['2026-03-07T20:00Z', '2026-10-31T20:00Z'] };
    const patterns = ['30 2 * * *', '0 2 * * *', '30 1 * * *', '0 3 * * *', '*/15 2 * * *', '* 2 * * *', '0 * * * *', '*/30 * * * *', '0 */2 * * *', '15 1-3 * * *', '0 0 * * *', '30 2 * * 0', '59 23 * * *'];
    const seen: Record<string, unknown> = {};
    for (const [tz, [spring, autumn]] of Object.entries(nights)) {
      for (const pattern of patterns) {
        const next = (from = ''): unknown => {
          let at = Date.parse(from);
          return Array.from({ length: 6 }, () => new Date((at = lib.getNextMillis(at, { pattern, tz }) ?? NaN)).toISOString());
        };
        Object.assign(seen, { [`${tz} spring ${pattern}`]: next(spring), [`${tz} autumn ${pattern}`]: next(autumn) });
      }
    }
    return seen;
  },
  'a repeatStrategy of one’s own': async (bench) => {
    const asked: unknown[] = [];
    const strategy = (who: string) => (millis: number, opts: object, name?: string): number | undefined => {
      asked.push([who, opts, name]);
      return 'endDate' in opts ? undefined : millis + 20;
    };
    const queue = bench.queue({ settings: { repeatStrategy: strategy('queue') } });
    const ran: unknown[] = [];
    const worker = bench.worker(async ({ name, opts }) => void ran.push([name, opts.repeat]), { settings: { repeatStrategy: strategy('worker') } });
    await queue.upsertJobScheduler('s', { pattern: 'now and then', limit: 3 }, { name: 'n' });
    void worker.run();
    while (ran.length < 3) await once(worker, 'completed');
    await queue.upsertJobScheduler('e', { every: 20, limit: 2 }, { name: 'e' });
    while (ran.length < 5) await once(worker, 'completed');
    const never = await attempt(() => queue.upsertJobScheduler('never', { pattern: 'x', endDate: '2040-01-01' }));
    return [asked, ran, never, (await queue.getJobScheduler('never')) === undefined];
  },
  'the count of a run, as it is answered and as it runs': async (bench) => {
    const queue = bench.queue();
    const hourly = { every: 3_600_000 };
    const answered = [hourly, { ...hourly, count: 2 }, { ...hourly, count: 2, limit: 9 }, { pattern: daily }, { pattern: daily, count: 5 }].map(async (repeat, i) =>
      ((await queue.upsertJobScheduler(`s${i}`, repeat, { name: 'n' })).opts.repeat as { count?: number }).count);
    const counts = await Promise.all(answered);
    for (const i of counts.keys()) await queue.removeJobScheduler(`s${i}`);
    await queue.drain(true);
    const ran: unknown[] = [];
    const worker = bench.worker(async ({ name, opts }) => void ran.push([name, (opts.repeat as { count?: number }).count]));
    await queue.upsertJobScheduler('r', { every: 20, count: 2, limit: 5 }, { name: 'r' });
    void worker.run();
    while (ran.length < 3) await once(worker, 'completed');
    return [counts, ran];
  },
  'a limit, and an end': async (bench) => {
    const queue = bench.queue();
    const ran: string[] = [];
    const worker = bench.worker(async ({ name }) => void ran.push(name));
    await queue.upsertJobScheduler('limit', { every: 50, limit: 2 }, { name: 'limit' });
    void worker.run();
    while (ran.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 200));
    return ran;
  },
};
