import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** Answers one command, given as its words; the answer is written as it is. */
export type Answer = (command: string[]) => string;

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** A server that speaks just enough RESP to pretend to be something. Answers the URL by which it is reached. */
export async function fakeServer(answer: Answer): Promise<{ url: string; seen: string[][] }> {
  const seen: string[][] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let input = '';
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      input += chunk.toString('latin1');
      for (let read = readCommand(input); read; read = readCommand(input)) {
        input = input.slice(read.length);
        seen.push(read.words);
        socket.write(answer(read.words));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `redis://127.0.0.1:${address.port}`, seen };
}

/** The first whole command of `input`, if there is one. */
function readCommand(input: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(input);
  if (!head) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  for (let i = 0; i < Number(head[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(input.slice(at));
    if (!size) return undefined;
    const from = at + size[0].length;
    const to = from + Number(size[1]);
    if (input.length < to + 2) return undefined;
    words.push(input.slice(from, to));
    at = to + 2;
  }
  return { words, length: at };
}

/** What a server answers that calls itself by this INFO and knows nothing else. */
export function posingAs(info: string): Answer {
  return ([name = '']) => {
    switch (name.toLowerCase()) {
      case 'info': return bulk(info);
      case 'ping': return '+PONG\r\n';
      case 'time': return '*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n';
      case 'client': return '+OK\r\n';
      default: return `-ERR unknown command \`${name}\`, with args beginning with: \r\n`;
    }
  };
}
