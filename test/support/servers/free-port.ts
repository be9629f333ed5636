import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range from which kernels take ports of outgoing connections, with the cluster bus 10,000 above. */
const lowest = 12_000;
const highest = 21_999;
/** How far above its own port a cluster node listens for the other nodes. */
export const busOffset = 10_000;

const handedOut = new Set<number>();

/**
 * A loopback port that is free now, as is the one `busOffset` above it; never the same twice.
 *
 * Another process may still take it before its user listens: whoever starts a server tries again then.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const port = randomInt(lowest, highest + 1);
    if (handedOut.has(port)) continue;
    if ((await canListen(port)) && (await canListen(port + busOffset))) {
      handedOut.add(port);
      return port;
    }
  }
  throw new Error(`no free port between ${lowest} and ${highest}`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
