import type { Script } from '../../../src/redis/script.js';
import { acknowledge } from '../../../src/redis/scripts/acknowledge.js';
import { adopt } from '../../../src/redis/scripts/adopt.js';
import { appendLog } from '../../../src/redis/scripts/append-log.js';
import { awaitChildren } from '../../../src/redis/scripts/await-children.js';
import { clean } from '../../../src/redis/scripts/clean.js';
import { counts } from '../../../src/redis/scripts/counts.js';
import { enqueue } from '../../../src/redis/scripts/enqueue.js';
import { fetch } from '../../../src/redis/scripts/fetch.js';
import { fireSchedule } from '../../../src/redis/scripts/fire-schedule.js';
import { forgetChildren } from '../../../src/redis/scripts/forget-children.js';
import { inquire } from '../../../src/redis/scripts/inquire.js';
import { inspectEvents } from '../../../src/redis/scripts/inspect-events.js';
import { pause } from '../../../src/redis/scripts/pause.js';
import { plant } from '../../../src/redis/scripts/plant.js';
import { promote } from '../../../src/redis/scripts/promote.js';
import { publishEvents } from '../../../src/redis/scripts/publish-events.js';
import { receive } from '../../../src/redis/scripts/receive.js';
import { recover } from '../../../src/redis/scripts/recover.js';
import { redrive } from '../../../src/redis/scripts/redrive.js';
import { removeSchedule } from '../../../src/redis/scripts/remove-schedule.js';
import { remove } from '../../../src/redis/scripts/remove.js';
import { renew } from '../../../src/redis/scripts/renew.js';
import { reportProgress } from '../../../src/redis/scripts/report-progress.js';
import { reprioritize } from '../../../src/redis/scripts/reprioritize.js';
import { reschedule } from '../../../src/redis/scripts/reschedule.js';
import { settle } from '../../../src/redis/scripts/settle.js';
import { sweep } from '../../../src/redis/scripts/sweep.js';
import { takeFirst } from '../../../src/redis/scripts/take-first.js';
import { transfer } from '../../../src/redis/scripts/transfer.js';
import { updateData } from '../../../src/redis/scripts/update-data.js';
import { upsertSchedule } from '../../../src/redis/scripts/upsert-schedule.js';
import type { CallOf, Verb } from '../machine/calls.js';

/** A plain command on one key, told as a script is. */
const plainCommand = {
  sha: '', source: '', keys: ['meta'] as const,
  args: (call: CallOf<'plain'>) => [call.command, `{m:${call.queue}}:${call.key}`, ...call.args.map((arg) => Buffer.from(String(arg), 'latin1'))],
  reply: (): undefined => undefined,
};

/** How every verb of the model is sent. */
export const scripts = {
  acknowledge, adopt, appendLog, awaitChildren, clean, counts, enqueue, fetch, fireSchedule, forgetChildren, inquire, inspectEvents, pause,
  plant, promote, publishEvents, receive, recover, redrive, removeSchedule, remove, renew, reportProgress, reprioritize, reschedule, settle,
  sweep, takeFirst, transfer, updateData, upsertSchedule, plain: plainCommand,
} satisfies Record<Verb, Script<never, unknown>>;

export type ScriptVerb = keyof typeof scripts;

/** fireSchedule is `fire-schedule.lua`. */
export const fileOf = (verb: string): string => verb.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
