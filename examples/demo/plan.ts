import { createHash } from 'node:crypto';
import type { Email } from '../email/queue.js';
import type { Contact } from '../rate-limited/queue.js';

/** How much work there is, and what has to become of it. */
export interface Plan {
  emails: { total: number; greylisted: number; mailboxFull: number; unknownUser: number };
  pictures: number;
  apiCalls: number;
  reminders: { total: number; minDelayMs: number; maxDelayMs: number };
  /** How often each schedule has to run before it is removed. */
  runs: { heartbeat: number; rollup: number };
}

export const fullPlan: Plan = {
  emails: { total: 10_000, greylisted: 300, mailboxFull: 60, unknownUser: 40 },
  pictures: 300,
  apiCalls: 500,
  reminders: { total: 300, minDelayMs: 500, maxDelayMs: 9_000 },
  runs: { heartbeat: 10, rollup: 5 },
};

export const quickPlan: Plan = {
  emails: { total: 2_000, greylisted: 60, mailboxFull: 12, unknownUser: 8 },
  pictures: 60,
  apiCalls: 150,
  reminders: { total: 100, minDelayMs: 300, maxDelayMs: 4_000 },
  runs: { heartbeat: 4, rollup: 2 },
};

/** The mail server decides by the domain what becomes of a mail, the checks by the same table what should have. */
export const domains = {
  fine: 'mail.example',
  /** Refuses the first one or two tries with 451, then accepts. */
  greylisted: 'greylist.example',
  /** Always 452: retried until the attempts are used up. */
  mailboxFull: 'full.example',
  /** 550: will never be accepted, so one try is enough. */
  unknownUser: 'unknown.example',
} as const;

export type Fate = keyof typeof domains;

export function fateOf(address: string): Fate {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  for (const fate of ['greylisted', 'mailboxFull', 'unknownUser'] as const) if (domain === domains[fate]) return fate;
  return 'fine';
}

export function planEmails({ total, greylisted, mailboxFull, unknownUser }: Plan['emails']): Email[] {
  const fine = total - greylisted - mailboxFull - unknownUser;
  const counts: [Fate, number][] = [['fine', fine], ['greylisted', greylisted], ['mailboxFull', mailboxFull], ['unknownUser', unknownUser]];
  const fates = counts.flatMap(([fate, times]) => Array.from({ length: times }, () => fate));
  return shuffled(fates).map((fate, index) => email(index + 1, domains[fate]));
}

export function planContacts(count: number): Contact[] {
  return Array.from({ length: count }, (_, index) => ({ contactId: `c${index + 1}`, email: `customer-${index + 1}@${domains.fine}` }));
}

function email(number: number, domain: string): Email {
  const items = goods.filter((_, index) => (number >> index) % 2 === 1);
  return {
    to: `customer-${number}@${domain}`,
    customer: `Customer ${number}`,
    order: { number: `2025-${String(number).padStart(5, '0')}`, items: items.length > 0 ? items : ['Gift card'], totalCents: 990 + 1_250 * items.length },
  };
}

const goods = ['Coffee grinder', 'Filter papers, 100', 'Enamel mug', 'Kettle', 'Beans, 1 kg', 'Scale'];

/** The same order in every run: sorted by a hash of the place. */
function shuffled<T>(values: readonly T[]): T[] {
  const keyed = values.map((value, index) => ({ value, key: createHash('md5').update(String(index)).digest('hex') }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ value }) => value);
}
