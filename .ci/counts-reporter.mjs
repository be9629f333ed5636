// A vitest reporter that writes the run's counts to the file named by DROVER_TEST_COUNTS.

import { writeFileSync } from 'node:fs';

export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0, broken: unhandledErrors.length };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test without an end, because its file's process died or the run was cut short, is a failure.
        counts[state === 'pending' ? 'failed' : state]++;
      }
      counts.broken += [module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0).length;
    }
    writeFileSync(process.env.DROVER_TEST_COUNTS, JSON.stringify(counts));
  }
}
