import type { CallParent } from './child-calls.js';
import type { DependenciesCount, SandboxedJob, SandboxJobData } from './sandboxed-job.js';

/**
 * The job for the handler: its facts, and its methods as calls to the parent. The methods need no `this`, so
 * `const { log } = job` works. Where a method takes the token, the run's own is the default.
 */
export function childJob(facts: SandboxJobData, token: string | undefined, call: CallParent): SandboxedJob {
  const job: SandboxedJob = {
    // A worker's jobs have all of it; so do those of a host that follows SandboxJobHost.
    ...(facts as SandboxedJob),
    returnValue: facts.returnvalue,
    log: (row) => call('log', row) as Promise<number>,
    updateProgress: (progress) => after(call('updateProgress', progress), () => (job.progress = progress)),
    updateData: (data: unknown) => after(call('updateData', data), () => (job.data = data)),
    moveToDelayed: (timestamp, by = token) => call('moveToDelayed', timestamp, by) as Promise<void>,
    moveToWait: (by = token) => call('moveToWait', by) as Promise<void>,
    moveToWaitingChildren: (by = token, opts) => call('moveToWaitingChildren', by, opts) as Promise<boolean>,
    getChildrenValues: <C>() => call('getChildrenValues') as Promise<Record<string, C>>,
    getIgnoredChildrenFailures: () => call('getIgnoredChildrenFailures') as Promise<Record<string, string>>,
    getDependenciesCount: (query) => call('getDependenciesCount', query) as Promise<DependenciesCount>,
  };
  return job;
}

/** Keeps the handler's copy up to date; like every call, it may be left alone (see ChildCalls). */
function after(call: Promise<unknown>, update: () => void): Promise<void> {
  const done = call.then(() => void update());
  done.catch(() => {});
  return done;
}
