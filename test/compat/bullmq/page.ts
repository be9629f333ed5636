import { sectionOf, type Section } from '../surface/page.js';
import { bullmq } from './library.js';

/** BullMQ's half of docs/compatibility.md. */
export const bullmqSection = (): Section => sectionOf(bullmq);
