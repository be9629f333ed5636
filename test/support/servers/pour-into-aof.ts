import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ServerAddress } from './redis-server.js';

export interface PourOptions {
  /** Size of each written value. Small values load slowly, large ones fast. Default 64. */
  valueBytes?: number;
  /** How many different keys to write. Default 1,000: the file grows, the data does not. */
  keys?: number;
}

/** Sends SET commands of at least `bytes` in all, as fast as the server takes them. */
export async function pourIntoAof(
  target: ServerAddress & { username: string },
  bytes: number,
  { valueBytes = 64, keys = 1_000 }: PourOptions = {},
): Promise<void> {
  const socket = await open(target);
  const block = commandsFor(keys, 'x'.repeat(valueBytes));
  socket.write(command('AUTH', target.username, target.password ?? ''));
  socket.write(command('CLIENT', 'REPLY', 'OFF'));
  for (let sent = 0; sent < bytes; sent += block.length) {
    if (!socket.write(block)) await once(socket, 'drain');
  }
  // The only reply after REPLY OFF: everything before it has been carried out.
  const done = replyCount(socket, 2);
  socket.write(command('CLIENT', 'REPLY', 'ON'));
  await done;
  socket.destroy();
}

async function open({ host, port, tls }: ServerAddress): Promise<Socket> {
  const socket = tls ? connectTls({ host, port, ca: tls.ca }) : connectPlain({ host, port });
  await once(socket, tls ? 'secureConnect' : 'connect');
  return socket;
}

function commandsFor(keys: number, value: string): Buffer {
  const commands = Array.from({ length: keys }, (_, index) => command('SET', `fill:${index}`, value));
  return Buffer.concat(commands);
}

function command(...parts: string[]): Buffer {
  const bulks = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return Buffer.from(`*${parts.length}\r\n${bulks.join('')}`);
}

/** Resolves after `wanted` one-line replies since the connection began; rejects on an error reply. */
function replyCount(socket: Socket, wanted: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.startsWith('-')) reject(new Error(text.trim()));
      else if (text.split('\r\n').length > wanted) resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
  });
}
