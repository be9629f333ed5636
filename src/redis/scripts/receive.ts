import { ScriptPacker } from '../../core/script-packer.js';
import { defineScript, integer } from '../script.js';
import type { ChildEnding } from '../letters.js';
import { lua } from '../lua.generated.js';

/** What a parent hears of one child. */
export interface ChildNews {
  childKey: string;
  ending: ChildEnding;
  policy: string;
  /** Of the letter; 0: whatever came before. */
  stamp: number;
  outcome: Buffer;
}

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
    packer.array(2).string(parent).array(news.length * 5);
    for (const { childKey, ending, policy, stamp, outcome } of news) {
      packer.string(childKey).string(ending).string(policy).number(stamp).bytes(outcome);
    }
  }
  return packer.take();
}
