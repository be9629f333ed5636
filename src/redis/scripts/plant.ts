import { ScriptPacker } from '../../core/script-packer.js';
import { defineScript, list, type RawReply } from '../script.js';
import { lua } from '../lua.generated.js';

/** A child as the books of its parent name it. */
export interface ChildEntry {
  prefix: string;
  queue: string;
  id: string;
}

/** A parent with children to enter in its books. */
export interface Planting {
  id: string;
  /** The packed record of a new job; undefined when the job has to exist. */
  record?: Buffer | undefined;
  facts?: Buffer | undefined;
  name?: string;
  children: readonly ChildEntry[];
}

export type Planted = 'planted' | 'existed' | 'missing';

/** Makes jobs that wait for children, and enters children in the books of their parents. */
export const plant = defineScript({
  source: lua.plant,
  keys: ['meta', 'job', 'state', 'parents', 'pending', 'orphans', 'events', 'children'],
  choose: (call: { parents: readonly Planting[] }) => ({ children: call.parents.map(({ id }) => id) }),
  args: (call: { parents: readonly Planting[] }) => [packPlantings(call.parents)],
  reply: (raw): Planted[] => list(raw).map(planted),
});

/** The name of a job in all of Redis, as BullMQ writes it. */
export function jobKey({ prefix, queue, id }: ChildEntry): string {
  return `${prefix}:${queue}:${id}`;
}

function packPlantings(parents: readonly Planting[]): Buffer {
  const packer = new ScriptPacker().array(parents.length);
  for (const { id, record = nothing, facts = nothing, name = '', children } of parents) {
    packer.array(5).string(id).bytes(record).bytes(facts).string(name).array(children.length * 3);
    for (const child of children) packer.string(jobKey(child)).number(child.prefix.length).number(child.queue.length);
  }
  return packer.take();
}

function planted(flag: RawReply): Planted {
  return flag === 1 ? 'planted' : flag === 0 ? 'existed' : 'missing';
}

const nothing = Buffer.alloc(0);
