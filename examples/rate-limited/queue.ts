import { Queue } from 'drover';
import { redis } from '../redis.js';

export interface Contact {
  contactId: string;
  email: string;
}

export const apiQueue = new Queue<Contact, number, 'sync-contact'>('api-calls', {
  ...redis,
  defaultJobOptions: { attempts: 3, backoff: { type: 'exponential', delay: 500 }, removeOnComplete: { count: 5_000 }, removeOnFail: { count: 5_000 } },
});
apiQueue.on('error', (error) => console.error('api queue:', error.message));

export function syncContacts(contacts: readonly Contact[]) {
  return apiQueue.addBulk(contacts.map((data) => ({ name: 'sync-contact', data })));
}
