import { ScriptPacker } from '../../core/script-packer.js';
import { defineScript, integer } from '../script.js';
import type { ChildEnding } from '../letters.js';
import { lua } from '../lua.generated.js';

/** What a parent hears of children that ended alike. */
export interface ChildNews {
  ending: ChildEnding;
  policy: string;
  /** Of the letters; 0: whatever came before. */
  stamp: number;
  children: readonly { key: string; outcome: Buffer }[];
}

/** News that no letter tells. */
export function newsOf(ending: 'removed' | 'lost', keys: readonly string[]): ChildNews {
  return { ending, policy: '', stamp: 0, children: keys.map((key) => ({ key, outcome: nothing })) };
}

const nothing = Buffer.alloc(0);

/** What one parent hears. Without news it is only looked after: it goes on if nothing keeps it. */
export interface ParentMail {
  parent: string;
  news: readonly ChildNews[];
}

/** Takes in letters on how children ended, and lets their parents go on; answers how many made a difference. */
export const receive = defineScript({
  source: lua.receive,
  keys: [
    'meta', 'wait', 'delayed', 'parents', 'completed', 'failed', 'state', 'pending', 'marker', 'events', 'children',
  ],
  choose: (call: { mail: readonly ParentMail[] }) => ({ children: call.mail.map(({ parent }) => parent) }),
  args: (call: { mail: readonly ParentMail[] }) => [packMail(call.mail)],
  reply: (raw) => integer(raw),
});

function packMail(mail: readonly ParentMail[]): Buffer {
  const packer = new ScriptPacker().array(mail.length);
  for (const { parent, news } of mail) {
    packer.array(2).string(parent).array(news.length);
    for (const { ending, policy, stamp, children } of news) {
      packer.array(4).string(ending).string(policy).number(stamp).array(children.length * 2);
      for (const { key, outcome } of children) packer.string(key).bytes(outcome);
    }
  }
  return packer.take();
}
