/** The program that shows what an option does, or why none does. */
export type Shown = { program: string } | { reason: string };

const by = (program: string, ...names: string[]): Record<string, Shown> => Object.fromEntries(names.map((name) => [name, { program }]));
const not = (reason: string, ...names: string[]): Record<string, Shown> => Object.fromEntries(names.map((name) => [name, { reason }]));

/** Every option of `JobsOptions` and of what it holds. */
export const ofBullmqJobs: Readonly<Record<string, Shown>> = {
  ...by('timestamp and the forms of jobId', 'JobsOptions.timestamp', 'JobsOptions.jobId'),
  ...by('priority and lifo decide the order', 'JobsOptions.priority', 'JobsOptions.lifo'),
  ...by('a delay, also with a priority and lifo', 'JobsOptions.delay'),
  ...by('what a handler sees of the attempts before', 'JobsOptions.attempts'),
  ...by('backoff, in each form', 'JobsOptions.backoff', 'BackoffOptions.delay', 'BackoffOptions.jitter'),
  ...by('backoff strategies', 'BackoffOptions.type'),
  ...by('removeOnComplete, in each form', 'JobsOptions.removeOnComplete', 'KeepJobs.age', 'KeepJobs.count', 'KeepJobs.limit'),
  ...by('removeOnFail, in each form', 'JobsOptions.removeOnFail'),
  ...by('keepLogs, stackTraceLimit and sizeLimit', 'JobsOptions.keepLogs', 'JobsOptions.stackTraceLimit', 'JobsOptions.sizeLimit'),
  ...by('parent, given as an option', 'JobsOptions.parent', 'ParentOptions.id', 'ParentOptions.queue'),
  ...by('a child fails: failParentOnFailure', 'JobsOptions.failParentOnFailure'),
  ...by('a child fails: continueParentOnFailure', 'JobsOptions.continueParentOnFailure'),
  ...by('a child fails: ignoreDependencyOnFailure', 'JobsOptions.ignoreDependencyOnFailure'),
  ...by('a child fails: removeDependencyOnFailure', 'JobsOptions.removeDependencyOnFailure'),
  ...by('deduplication, simple', 'JobsOptions.deduplication', 'DeduplicationOptions.id'),
  ...by('deduplication, with ttl, replace and extend', 'DeduplicationOptions.ttl', 'DeduplicationOptions.replace', 'DeduplicationOptions.extend'),
  ...by('deduplication while active, keeping the last', 'DeduplicationOptions.keepLastIfActive'),
  ...by('deduplication that reschedules', 'DeduplicationOptions.reschedule'),
  ...by('the next run of a schedule', 'RepeatOptions.pattern', 'RepeatOptions.every', 'RepeatOptions.tz', 'RepeatOptions.startDate', 'RepeatOptions.endDate'),
  ...by('immediately, and offset', 'RepeatOptions.immediately', 'RepeatOptions.offset'),
  ...by('a limit, and an end', 'RepeatOptions.limit'),
  ...by('which repeat options are accepted', 'RepeatOptions.count', 'RepeatOptions.key', 'RepeatOptions.jobId', 'RepeatOptions.prevMillis'),
  ...not('its spans are compared in queue-spans.test.ts', 'JobsOptions.telemetry'),
  ...not('BullMQ sets it on the jobs of its schedules; programs do not', 'JobsOptions.repeatJobKey', 'JobsOptions.prevMillis'),
};

/** What Bull declares for every kind of repetition. */
const each = (...names: string[]): string[] => ['RepeatOptions', 'CronRepeatOptions', 'EveryRepeatOptions'].flatMap((owner) => names.map((name) => `${owner}.${name}`));

/** Every option of Bull's `JobOptions` and of what it holds. */
export const ofBullJobs: Readonly<Record<string, Shown>> = {
  ...by('priority, lifo and delay decide the order', 'JobOptions.priority', 'JobOptions.lifo', 'JobOptions.delay'),
  ...by('timeout, stackTraceLimit and attempts', 'JobOptions.timeout', 'JobOptions.stackTraceLimit', 'JobOptions.attempts'),
  ...by('removeOnComplete and removeOnFail, in each form', 'JobOptions.removeOnComplete', 'JobOptions.removeOnFail', 'KeepJobsOptions.age', 'KeepJobsOptions.count'),
  ...by('retries with Bull’s formulae', 'JobOptions.backoff', 'BackoffOptions.type', 'BackoffOptions.delay'),
  ...by('backoffStrategies of the settings', 'BackoffOptions.options'),
  ...by('debounce', 'JobOptions.debounce', 'DebounceOptions.id'),
  ...by('which values of job options are accepted', 'DebounceOptions.ttl', 'JobOptions.preventParsingData'),
  ...by('one job id, as a number and as text', 'JobOptions.jobId'),
  ...by('repeatable jobs and their keys', 'JobOptions.repeat', 'CronRepeatOptions.cron', 'CronRepeatOptions.startDate', ...each('tz', 'endDate')),
  ...by('a repeated job with a limit, its options and its end', 'EveryRepeatOptions.every', ...each('limit', 'count')),
};
