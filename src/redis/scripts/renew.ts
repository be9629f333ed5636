import { defineScript, integer, list } from '../script.js';
import { lua } from '../lua.generated.js';

/** Pushes back the deadline of every lease that is still held; answers the numbers of those that are not. */
export const renew = defineScript({
  source: lua.renew,
  keys: ['active', 'run'],
  args: (call: { leaseMs: number; leases: Buffer }) => [call.leaseMs, call.leases],
  reply: (raw) => list(raw).map(integer),
});
