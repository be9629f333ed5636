import { describe } from 'vitest';
import { redisUrl, uniqueName } from '../support/behaviour.js';
import { Bench, libraries } from './bullmq/bench.js';
import { ofBullmq } from './betterments.js';
import { scenariosOf } from './programs.js';
import { runScenarios } from './run.js';

describe('BullMQ and Drover answer the same to', () => {
  runScenarios({
    scenarios: scenariosOf.bullmq,
    open: [() => new Bench(libraries.bullmq, uniqueName('conf'), redisUrl), () => new Bench(libraries.drover, uniqueName('conf'), redisUrl)],
    betterments: ofBullmq,
  });
});
