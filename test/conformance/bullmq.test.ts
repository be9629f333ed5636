import { describe } from 'vitest';
import { redisUrl, uniqueName } from '../support/behaviour.js';
import { Bench, libraries } from './bullmq/bench.js';
import { attempts } from './bullmq/attempts.js';
import { jobs } from './bullmq/jobs.js';
import { options } from './bullmq/options.js';
import { sets } from './bullmq/sets.js';
import { working } from './bullmq/working.js';
import { ofBullmq } from './betterments.js';
import { runScenarios } from './run.js';

describe('BullMQ and Drover answer the same to', () => {
  runScenarios({
    scenarios: { ...attempts, ...jobs, ...options, ...sets, ...working },
    open: [() => new Bench(libraries.bullmq, uniqueName('conf'), redisUrl), () => new Bench(libraries.drover, uniqueName('conf'), redisUrl)],
    betterments: ofBullmq,
  });
});
