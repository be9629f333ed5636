import { capture } from '../steps.mjs';

export async function findings() {
  const { code, output } = await capture(process.execPath, ['node_modules/eslint/bin/eslint.js', '.', '--quiet']);
  return code === 0 ? [] : [output.trim()];
}
