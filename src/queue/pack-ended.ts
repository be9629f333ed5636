import type { ScriptPacker } from '../core/script-packer.js';
import type { EndingOf } from './endings.js';

/** The outcome of a job that returned nothing: nil. */
export const nothing = Buffer.from([0xc0]);

type Packed = Pick<EndingOf, 'ending' | 'payload'> & { readonly id: string; readonly lease: string };

/**
 * Packs what has ended as `settle` takes it: [lease, ids, endings, payloads, …], one group for the jobs that follow each
 * other under one lease. Endings that are all `forgotten`, and payloads that are all nothing, take no room.
 */
export function packEnded(ended: readonly Packed[], packer: ScriptPacker): Buffer {
  const groups = byLease(ended);
  packer.array(groups.length * 4);
  for (const group of groups) {
    packer.string(group[0]?.lease ?? '').array(group.length);
    for (const { id } of group) packer.string(id);
    packer.string(group.every(({ ending }) => ending === 0) ? '' : group.map(({ ending }) => ending).join(''));
    if (group.every(({ payload }) => payload === nothing)) packer.string('');
    else packPayloads(group, packer);
  }
  return packer.take();
}

function packPayloads(group: readonly Packed[], packer: ScriptPacker): void {
  packer.array(group.length);
  for (const { payload } of group) {
    if (typeof payload === 'function') payload(packer);
    else if (typeof payload === 'string') packer.string(payload);
    else packer.bytes(payload);
  }
}

function byLease(ended: readonly Packed[]): readonly (readonly Packed[])[] {
  const first = ended[0];
  if (!first) return [];
  if (ended.every(({ lease }) => lease === first.lease)) return [ended];
  const groups: Packed[][] = [];
  for (const each of ended) {
    const last = groups.at(-1);
    if (last && last[0]?.lease === each.lease) last.push(each);
    else groups.push([each]);
  }
  return groups;
}
