import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { url } from './open.js';

/** A way to Redis on which the connections that read streams can fall silent without being closed. */
export interface Proxy {
  port: number;
  /** How many connections have been frozen. */
  readonly frozen: number;
  freezeReaders(): void;
  close(): Promise<void>;
}

export async function openProxy(): Promise<Proxy> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const readers = new Set<Socket>();
  let frozen = 0;
  const server = createServer((inside) => {
    const outside = connect(Number(port), hostname);
    for (const [from, to] of [[inside, outside], [outside, inside]] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
      from.on('data', (bytes) => {
        if (bytes.includes('xread')) readers.add(inside).add(outside);
        to.write(bytes);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get frozen() {
      return frozen;
    },
    freezeReaders() {
      for (const socket of readers) socket.removeAllListeners('data').pause();
      frozen += readers.size / 2;
      readers.clear();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
