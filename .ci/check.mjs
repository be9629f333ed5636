// `npm run check`: every check, or those named: npm run check -- layers lint

import { setUp } from './setup.mjs';
import { main, SetupError } from './steps.mjs';

const all = [
  'generated-files',
  'script-headers',
  'layers',
  'file-names',
  'no-hosts-or-secrets',
  'types',
  'lint',
  'compatibility',
  'package-consumers',
];

await main(async (names) => {
  for (const name of names) if (!all.includes(name)) throw new SetupError(`There is no check "${name}". There are: ${all.join(', ')}.`);
  const isWanted = (name) => names.length === 0 || names.includes(name);

  // Before the set-up, which would make the file current.
  const generated = isWanted('generated-files') && (await run('generated-files'));
  const later = all.slice(1).filter(isWanted);
  await setUp();
  const results = [generated];
  for (const name of later) results.push(await run(name));
  return results.includes(true) ? 1 : 0;
});

/** Runs one check, prints what it found, and says whether that was something. */
async function run(name) {
  const { findings } = await import(`./checks/${name}.mjs`);
  const found = await findings();
  console.log(found.length === 0 ? `ok ${name}` : `FAILED ${name}\n${found.map((line) => `  ${line.replaceAll('\n', '\n  ')}`).join('\n')}`);
  return found.length > 0;
}
