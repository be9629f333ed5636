import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { openBullmqApi, type BullmqApi } from './bullmq-api.js';
import type { Peer } from './peer.js';

const build = new URL('../../dist/index.js', import.meta.url);
const manifest = new URL('../../package.json', import.meta.url);

/** Measures the build, as users run it, and not the sources. */
export const drover: Peer = {
  name: 'drover',
  features: new Set(['single', 'bulk', 'delay', 'priority', 'flow', 'processes', 'idle']),
  version: async () => {
    requireBuild();
    return (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version;
  },
  open: async (target) => {
    requireBuild();
    return openBullmqApi('drover', (await import(build.href)) as BullmqApi, target);
  },
};

function requireBuild(): void {
  if (!existsSync(build)) throw new Error('drover is not built: run `npm run build` first');
}
