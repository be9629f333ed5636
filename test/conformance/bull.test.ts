import { describe } from 'vitest';
import { redisUrl, uniqueName } from '../support/behaviour.js';
import { Bench, libraries } from './bull/bench.js';
import { ofBull } from './betterments.js';
import { scenariosOf } from './programs.js';
import { runScenarios } from './run.js';

describe('Bull and Drover’s facade answer the same to', () => {
  runScenarios({
    scenarios: scenariosOf.bull,
    open: [() => new Bench(libraries.bull, uniqueName('conf'), redisUrl), () => new Bench(libraries.drover, uniqueName('conf'), redisUrl)],
    betterments: ofBull,
  });
});
