import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { limiter } from '../rate-limited/limiter.js';

export interface ApiLog {
  contacts: string[];
  /** Calls beyond the limit. */
  tooMany: number;
  /** The contact whose call was answered with the request for a break. */
  askedForBreak: string | undefined;
  /** Calls that came during that break. */
  disturbances: number;
}

const breakMs = 1_000;
/** Calls that had begun before the workers heard of the break. */
const graceMs = 300;

/** An HTTP API that allows so many calls in so long, and asks for a break of a second once. */
export async function startApiServer(breakAfterCalls: number) {
  const contacts: string[] = [];
  const window = { startedAt: 0, calls: 0 };
  let tooMany = 0;
  let askedForBreak: string | undefined;
  let askedAt = Infinity;
  let disturbances = 0;

  const server = createServer((request, response) => {
    request.resume();
    const contact = request.url?.split('/').at(-1) ?? '';
    const now = Date.now();
    if (now > askedAt + graceMs && now < askedAt + breakMs) disturbances++;
    // Half the window: calls travel, and the exact limit is checked against the times that Redis noted.
    if (now - window.startedAt > limiter.duration / 2) Object.assign(window, { startedAt: now, calls: 0 });
    const overLimit = ++window.calls > limiter.max;
    const wantsBreak = !askedForBreak && contacts.length >= breakAfterCalls;
    if (overLimit) tooMany++;
    else if (wantsBreak) {
      askedForBreak = contact;
      askedAt = now;
    }
    const putOff = overLimit || wantsBreak;
    if (!putOff) contacts.push(contact);
    response.writeHead(putOff ? 429 : 204, putOff ? { 'retry-after': String(breakMs / 1_000) } : {}).end();
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    log: (): ApiLog => ({ contacts, tooMany, askedForBreak, disturbances }),
  };
}
