import type { ScriptPacker } from '../core/script-packer.js';
import { firstLarge, type EnqueueCall } from '../redis/scripts/enqueue.js';
import type { EnqueueRequest, SpecialRequest } from './enqueuer.js';
import { largeFrom, PlainJob } from './plain-jobs.js';

type PackedJobs = Omit<EnqueueCall, 'session' | 'seq'>;

/** Whether the id was made by Drover; such ids ascend within a call. */
export function isMade({ special }: EnqueueRequest): boolean {
  return !special || special.fresh;
}

/** The bytes of the record. */
export function sizeOf(request: EnqueueRequest): number {
  return request instanceof PlainJob ? request.size : request.record.length;
}

export function isDelayed({ special }: EnqueueRequest): boolean {
  return special !== undefined && special.delayMs > 0;
}

/**
 * Packs the jobs of one call, all in the form that the most particular of them needs, so that their order is kept: as
 * `plain` (to the end of priority 0), as `fresh` (a delay, a priority, a parent), or as `special` (an id that may exist,
 * a rule of deduplication).
 */
export function packJobs(requests: readonly EnqueueRequest[], packer: ScriptPacker): PackedJobs {
  const large: Buffer[] = [];
  if (!requests.every(isMade)) return { special: packSpecial(requests, packer, large), names: namesOf(requests), large };
  if (requests.some(({ special }) => special)) {
    return { fresh: packFresh(requests, packer, large), names: namesOf([...requests.filter((one) => !isDelayed(one)), ...requests.filter(isDelayed)]), large };
  }
  return { plain: packPlain(requests, packer, large), ids: requests.map(({ id }) => id).join('\n'), names: namesOf(requests), large };
}

const ordinary: SpecialRequest = { fresh: true, delayMs: 0, priority: 0, lifo: false, facts: undefined, deduplication: undefined };

function packPlain(requests: readonly EnqueueRequest[], packer: ScriptPacker, large: Buffer[]): Buffer {
  packer.array(requests.length * 2);
  for (let i = 0; i < requests.length; i++) {
    const request = requests[i] as EnqueueRequest;
    if (request instanceof PlainJob) {
      const last = lastOfRun(requests, i);
      packer.written(request.page.subarray(request.from, (requests[last] as PlainJob).to));
      i = last;
    } else {
      packRecord(request.record, packer.string(request.id), large);
    }
  }
  return packer.take();
}

/** The last of the jobs from `first` on that stand one behind the other in a page. */
function lastOfRun(requests: readonly EnqueueRequest[], first: number): number {
  let job = requests[first] as PlainJob;
  for (let i = first + 1; i < requests.length; i++) {
    const next = requests[i];
    if (!(next instanceof PlainJob) || next.page !== job.page || next.from !== job.to) return i - 1;
    job = next;
  }
  return requests.length - 1;
}

function packFresh(requests: readonly EnqueueRequest[], packer: ScriptPacker, large: Buffer[]): Buffer {
  packer.array(requests.length * 6);
  for (const request of requests) packPlaced(request, packer, large);
  return packer.take();
}

function packSpecial(requests: readonly EnqueueRequest[], packer: ScriptPacker, large: Buffer[]): Buffer {
  packer.array(requests.length);
  for (const request of requests) {
    packPlaced(request, packer.array(7), large);
    const rule = request.special?.deduplication;
    if (rule) packer.array(6).string(rule.id).number(rule.ttlMs).flag(rule.extend).flag(rule.replace).flag(rule.keepLast).flag(rule.reschedule);
    else packer.string('');
  }
  return packer.take();
}

function packPlaced({ id, record, special = ordinary }: EnqueueRequest, packer: ScriptPacker, large: Buffer[]): void {
  packRecord(record, packer.string(id), large).number(special.delayMs).number(special.priority).flag(special.lifo);
  if (special.facts) packer.bytes(special.facts);
  else packer.string('');
}

/** The record, or the number of the argument that it becomes. */
function packRecord(record: Buffer, packer: ScriptPacker, large: Buffer[]): ScriptPacker {
  return record.length < largeFrom ? packer.bytes(record) : packer.number(firstLarge + large.push(record) - 1);
}

/** One name if all are the same, else one a line. */
function namesOf(requests: readonly EnqueueRequest[]): string {
  const first = requests[0]?.name ?? '';
  return requests.every(({ name }) => name === first) ? first : requests.map(({ name }) => name).join('\n');
}
