/** The entry file of a child, process or thread: joins its side of the channel to a ChildRunner. */
import { inspect } from 'node:util';
import { isMainThread, parentPort } from 'node:worker_threads';
import { ChildRunner, type SendToParent } from './child-runner.js';
import { marked } from './messages.js';
import { encodeThrown } from './thrown.js';

/** How long a child waits for what it said last to be heard. */
const lastWordsMs = 1000;

if (!isMainThread && parentPort) serveThread(parentPort);
else if (process.send) serveProcess();
else throw new Error('This file is started by the Sandbox class of Drover only.');

function serveThread(port: NonNullable<typeof parentPort>): void {
  const send = afterOutput((message, sent) => {
    port.postMessage(marked(message));
    sent?.();
  });
  const runner = new ChildRunner(send);
  port.on('message', (raw) => runner.receive(raw));
  endOnCrash(send);
}

/** Sends the outcome of a job once what its handler printed is out. */
function afterOutput(send: SendToParent): SendToParent {
  return (message, sent) => {
    const streams = message.kind === 'completed' || message.kind === 'failed' ? unwritten() : [];
    if (streams.length === 0) send(message, sent);
    else void written(streams).then(() => send(message, sent));
  };
}

function unwritten(): NodeJS.WriteStream[] {
  return [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
}

/**
 * Resolves once all of it is written, by a thread to its parent. It goes another way than messages: a parent that ends on
 * the outcome of the job would cut it off. Nobody waits for long for a reader that has stopped.
 */
async function written(streams: readonly NodeJS.WriteStream[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const all = Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))));
  await Promise.race([all, new Promise<void>((resolve) => (timer = setTimeout(resolve, lastWordsMs)))]);
  clearTimeout(timer);
}

function serveProcess(): void {
  const send = afterOutput((message, sent) => {
    // With a callback, a channel that has just closed is no error here: 'disconnect' tells.
    if (process.connected) process.send?.(marked(message), undefined, undefined, () => sent?.());
    else sent?.();
  });
  const runner = new ChildRunner(send);
  process.on('message', (raw) => runner.receive(raw));
  // Nobody will take the outcome, and the job will be given to someone else: stop now.
  process.on('disconnect', () => {
    runner.abort(new Error('The parent process has gone.'));
    process.exit(1);
  });
  // Sent to the whole group by a terminal or a service manager: the parent decides when its children end.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  endOnCrash(send);
}

/** As Node would, but the parent learns why. Unhandled rejections come here too. */
function endOnCrash(send: SendToParent): void {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${inspect(error)}\n`);
    setTimeout(() => process.exit(1), lastWordsMs);
    send({ kind: 'crashed', error: encodeThrown(error) }, () => process.exit(1));
  });
}
