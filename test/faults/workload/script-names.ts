import { createHash } from 'node:crypto';
import { lua } from '../../../src/redis/lua.generated.js';

/** The names of Drover's scripts by SHA-1, as the proxy wants them. */
export const scriptNames: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(lua).map(([name, source]) => [createHash('sha1').update(source).digest('hex'), name]),
);
