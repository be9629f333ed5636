/** What Drover means to do otherwise than BullMQ or Bull. A conformance test fails for any other difference, and for one of these that is gone. */
export interface Betterment {
  /** The scenario that shows it. */
  scenario: string;
  /** Where in what the scenario answers. */
  at: RegExp;
  because: string;
}

/** One reason that several scenarios show. */
const of = (because: string, ...shown: [scenario: string, at: RegExp][]): Betterment[] => shown.map(([scenario, at]) => ({ scenario, at, because }));

const mistakes = 'a value that can only be a mistake is refused with an error that names it: a fraction, a negative number, text for a number, `null`, an unknown option';

export const ofBullmq: readonly Betterment[] = [
  ...of(
    'the options of a job that was read from the queue do not repeat its `jobId`: `job.id` has it',
    ['a job as add answers it and getJob reads it', /opts\.jobId$/], ['a plain job', /opts\.jobId$/], ['a completed job, and one that failed', /opts\.jobId$/],
    ['retrying a finished job', /opts\.jobId$/],
  ),
  ...of('`asJSON` also holds `delay` and `priority` when they are 0, and `processedBy`', ['a plain job', /\.(delay|priority)$/], ['a completed job, and one that failed', /^2\.(delay|priority|processedBy)$/]),
  ...of('`getJobCounts()` also answers `paused`, which is 0, for dashboards of earlier versions', ['counts of jobs', /all\.paused$/], ['obliterating a queue with active jobs', /^3\.paused$/]),
  ...of(
    'errors begin as BullMQ’s do, then say what can be done; of a job that is gone they say so',
    ['what an operation on a missing job, or in the wrong state, says', /thrown$/], ['closing', /^0\.thrown$/],
  ),
  ...of('`queue.remove` of a job that is not there answers 0', ['what an operation on a missing job, or in the wrong state, says', /^removeById\.1$/], ['maintenance calls and what they answer', /^0\.remove$/]),
  ...of('`setGlobalRateLimit` answers 1', ['maintenance calls and what they answer', /^0\.setRate$/]),
  ...of('the run that completed is not counted once a completed job is retried: it runs anew', ['retrying a finished job', /^3\.attempts(Made|Started)$/]),
  ...of('cleaning jobs that have not ended tells `removed` of each, with its id, rather than a count', ['events of a clean', /./]),
  ...of('a child that failed for good is counted as failed, also when its parent waits on', ['a child fails: the parent waits', /^4\./]),
  ...of(
    'a schedule counts the runs that were due, not the next one; its view also has `id` and always `template`',
    ['schedulers and their shapes', /(iterationCount|\.id|template)$/], ['a scheduler that is changed', /^3\.opts$/],
  ),
  ...of('a schedule that would never run is refused, where a `repeatStrategy` answers no first time', ['a repeatStrategy of one’s own', /^2\./]),
  ...of('what the template of a schedule cannot give its runs is refused: `delay`, `deduplication`, `jobId`, `repeat`, `parent`', ['which options the template of a schedule may give', /./]),
  ...of('a schedule whose end is before its start is refused', ['ends of schedules', /^0\.start after end/]),
  ...of(
    'when clocks change: a time that they skip runs right after the gap, and hours by a step run in each hour there is (docs/schedules.md)',
    ['schedules when clocks change', /spring (30 2 \* \* [*0]|15 1-3 \* \* \*|0 \*\/2 \* \* \*)\.|autumn 0 \*\/2 \* \* \*\./],
  ),
  ...of('a schedule that has ended is removed', ['runs of a scheduler', /^1$/]),
  ...of('an end that was refused leaves no stack trace on the handle', ['jobs ended through a handle of the queue', /^fail, .*\.8$/]),
  ...of('a dynamic rate limit also holds back jobs that are taken by hand', ['global concurrency, rate limit and isMaxed', /^3$/]),
  ...of('options are shown as they were given', ['defaults of jobs, as stored', /^1$/], ['the queuesOptions of a flow', /^0\.\d\.1$/]),
  ...of(
    'what a sandboxed processor throws keeps its class and name, and what it returns its `undefined`',
    ['a sandboxed processor in a child process', /^1\.heard\.\d\.1$|^4\./], ['a sandboxed processor in a worker thread', /^1\.heard\.\d\.1$|^4\./],
    ['a sandboxed processor in CommonJS, by path', /^1\.heard\.\d\.1$/], ['a sandboxed processor by path, in a worker thread', /^1\.heard\.\d\.1$/],
  ),
  ...of('a job that stalled too often fails where that is found: no further attempt is started and counted for it', ['a job that stalls more often than it may', /./]),
  ...of('`lifo` also counts among jobs of one priority', ['priority and lifo decide the order', /^[56]$/]),
  ...of('`keepLogs: 0` keeps no rows', ['keepLogs, stackTraceLimit and sizeLimit', /^2$/]),
  ...of('`sizeLimit` counts all that is stored of the job: name, data and options', ['keepLogs, stackTraceLimit and sizeLimit', /^4\.1\./]),
  ...of('adding an id that is there answers the job that is there, not the one that was not added', ['timestamp and the forms of jobId', /^3$/]),
  ...of(
    'a sandbox that ends, and a file that cannot be loaded, have errors of their own, which name the process or the file',
    ['a sandboxed processor in a child process', /^8\./], ['a sandboxed processor in a worker thread', /^8\./], ['a sandboxed processor that cannot be loaded', /./],
    ['a sandboxed processor that is not there', /thrown$/],
  ),
  ...of(
    mistakes,
    ['which values of job options add accepts', /^(?!jobId\.)/], ['which values of worker options are accepted', /./], ['which values of queue options are accepted', /./],
    ['which values of queue events options are accepted', /./], ['which repeat options are accepted', /./], ['which names of queues, jobs and schedulers are accepted', /^jobs\./],
  ),
  ...of('ids and names may hold a colon and be whole numbers', ['which values of job options add accepts', /^jobId\./], ['which names of queues, jobs and schedulers are accepted', /^queues\./]),
];

export const ofBull: readonly Betterment[] = [
  ...of(mistakes, ['which values of job options are accepted', /^(priority|unknown)/]),
  ...of('`debounce.ttl: 0` means no time, as leaving it out does', ['which values of job options are accepted', /^debounce/]),
  ...of(
    'the options of a job that was read from the queue do not repeat its `jobId`: `job.id` has it',
    ['a job as add answers it and getJob reads it', /opts\.jobId$/], ['what is told of jobs that go well and badly', /opts\.jobId$/],
  ),
  ...of('the error of a timeout names the job and says what to do', ['timeout, stackTraceLimit and attempts', /^2$/]),
  ...of('`global:removed` is also told of `job.remove()`', ['global events of the queue', /^[34](\.|$)/]),
  ...of('`limiter.bounceBack` lets the jobs wait; Bull has them in none of its lists', ['a limiter that bounces its jobs back', /^1$/]),
  ...of('the ids of jobs of a limiter with `groupKey` do not end with their group', ['a limiter by group', /^0\.\d$/]),
  ...of('errors begin as Bull’s do, and say that the job is gone', ['what operations in the wrong state say', /thrown$/]),
];
