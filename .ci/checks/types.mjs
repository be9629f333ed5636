// Sources, tests, benchmarks and examples, and with them the type tests in test/**/*.test-d.ts.

import { capture } from '../steps.mjs';

export async function findings() {
  const { code, output } = await capture(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--pretty', 'false']);
  return code === 0 ? [] : [output.trim()];
}
