import { sectionOf } from '../surface/page.js';
import { bullmq } from './library.js';

/** BullMQ's half of docs/compatibility.md. */
export const bullmqSection = (): string => sectionOf(bullmq);
