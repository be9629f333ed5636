// `npm run test:faults` and its companions: longer runs than `npm test` has time for.

import { runTypeScript, runWithRedis } from './setup.mjs';
import { main } from './steps.mjs';

/** How many replies each script loses in the long form. */
const losses = '1000';

const programs = {
  longest: (args) => runTypeScript('test/faults/longest/main.ts', args),
  peers: (args) => runTypeScript('test/faults/peers/main.ts', args),
  'lost-replies': (args) =>
    runWithRedis(['node_modules/vitest/vitest.mjs', 'run', 'test/faults/lost-replies.test.ts', 'test/faults/lost-answers.test.ts', 'test/faults/killed-at-each-call.test.ts', ...args], {
      env: { DROVER_LOST_REPLIES: losses },
    }),
};

await main(([first = '', ...rest]) =>
  first in programs ? programs[first](rest) : runTypeScript('test/faults/main.ts', first === '' ? [] : [first, ...rest]));
