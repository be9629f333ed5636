import { StateError } from '../core/errors.js';
import { decode, encode, ProtocolError, type JobCall, type ToChild, type ToParent } from './messages.js';
import type { DependenciesCountQuery, SandboxJobHost } from './sandboxed-job.js';
import { encodeThrown } from './thrown.js';

type Call = Extract<ToParent, { kind: 'call' }>;
type Reply = Extract<ToChild, { kind: 'reply' }>;

// The arguments are what a handler passed; the host's own methods check them, as they do for any caller.
const methods: Record<JobCall, (host: SandboxJobHost, args: readonly unknown[]) => Promise<unknown>> = {
  log: (host, [row]) => host.log(row as string),
  updateProgress: (host, [progress]) => host.updateProgress(progress),
  updateData: (host, [data]) => host.updateData(data),
  moveToDelayed: (host, [timestamp, token]) => host.moveToDelayed(timestamp as number, token as string | undefined),
  moveToWait: (host, [token]) => host.moveToWait(token as string | undefined),
  moveToWaitingChildren: (host, [token, opts]) => host.moveToWaitingChildren(token as string, opts),
  getChildrenValues: (host) => host.getChildrenValues(),
  getIgnoredChildrenFailures: (host) => host.getIgnoredChildrenFailures(),
  getDependenciesCount: (host, [opts]) => host.getDependenciesCount(opts as DependenciesCountQuery | undefined),
};

/** Does what the child asked for, on the job that it holds. Always resolves; throws a ProtocolError synchronously. */
export function answer(call: Call, host: SandboxJobHost | undefined): Promise<Reply> {
  const args = decode(call.args);
  if (!Array.isArray(args)) throw new ProtocolError('The arguments of a call are no list.');
  return perform(call, host, args);
}

async function perform(call: Call, host: SandboxJobHost | undefined, args: readonly unknown[]): Promise<Reply> {
  const { request } = call;
  try {
    if (!host) throw ended(call.method);
    return { kind: 'reply', request, ok: true, value: encode(await methods[call.method](host, args)) };
  } catch (error) {
    return { kind: 'reply', request, ok: false, value: encodeThrown(error) };
  }
}

function ended(method: JobCall): StateError {
  return new StateError('WRONG_STATE', {
    field: 'job',
    message: `job.${method}() came after the handler had ended.`,
    hint: 'Await the calls of the job inside the handler.',
  });
}
