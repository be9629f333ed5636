// `npm test`: the whole suite on a private Redis. Further arguments go to vitest: npm test -- test/queue
// `--acl` (`npm run test:acl`): as the users of docs/redis-layout.md, each with no more than its role needs.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runWithRedis } from './setup.mjs';
import { main } from './steps.mjs';

await main(async (given) => {
  const args = given.filter((arg) => arg !== '--acl');
  const users = args.length < given.length ? { DROVER_TEST_ACL: '1' } : {};
  const dir = mkdtempSync(path.join(tmpdir(), 'drover-test-'));
  const countsFile = path.join(dir, 'counts.json');
  try {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...reporters(args), ...args];
    const code = await runWithRedis(vitest, { env: { DROVER_TEST_COUNTS: countsFile, ...users } });
    return close(readCounts(countsFile), code);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

function reporters(args) {
  const counts = '--reporter=./.ci/counts-reporter.mjs';
  return args.some((arg) => arg.startsWith('--reporter')) ? [counts] : ['--reporter=default', counts];
}

/** Prints the closing line, which is always the last one, and decides the exit code. */
function close(counts, code) {
  const { passed, skipped, broken } = counts;
  // Whatever made vitest fail beside the tests (an unhandled error, a crash) is a failure that has to show.
  const failed = counts.failed + broken || (code === 0 ? 0 : 1);
  if (broken) console.log(`${broken} failed outside the tests: a file that does not load, a hook, or an unhandled error (see above)`);
  if (passed + failed === 0) console.log('No test ran.');
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  return code || (failed || passed === 0 ? 1 : 0);
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0, broken: 0 };
  }
}
