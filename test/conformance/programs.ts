import { events } from './bull/events.js';
import { jobOptions as ofBull } from './bull/job-options.js';
import { scenarios } from './bull/scenarios.js';
import { attempts } from './bullmq/attempts.js';
import { jobOptions } from './bullmq/job-options.js';
import { jobs } from './bullmq/jobs.js';
import { options } from './bullmq/options.js';
import { sandbox } from './bullmq/sandbox.js';
import { scheduleOptions } from './bullmq/schedule-options.js';
import { sets } from './bullmq/sets.js';
import { stalled } from './bullmq/stalled.js';
import { working } from './bullmq/working.js';

/** All programs, by the library whose behaviour they are held against. */
export const scenariosOf = {
  bullmq: { ...attempts, ...jobOptions, ...jobs, ...options, ...sandbox, ...scheduleOptions, ...sets, ...stalled, ...working },
  bull: { ...events, ...ofBull, ...scenarios },
};
