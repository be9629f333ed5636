// Where the browser of the tests comes from: the one the user named, the PATH, or the system's packages.
// `node .ci/chromium-binary.mjs` prints its path.

import { inPath, installWithApt, isProgram } from './apt.mjs';
import { exclusively } from './lock.mjs';
import { isEntryPoint, main, SetupError } from './steps.mjs';

const howToInstall = `A test clicks through bull-board in Chromium, and there is no Chromium in the PATH.
Install it, and run the tests again:

  Debian           sudo apt-get install chromium
  Fedora, RHEL     sudo dnf install chromium
  Alpine           apk add chromium
  Arch             sudo pacman -S chromium

Or name one: DROVER_CHROMIUM=/path/to/chromium`;

/** The browser, installed from the system's packages if need be. Throws a SetupError if there is none. */
export async function chromium() {
  const named = process.env.DROVER_CHROMIUM;
  if (named) {
    if (!isProgram(named)) throw new SetupError(`DROVER_CHROMIUM names ${named}, which is not a program.`);
    return named;
  }
  return find() ?? (await exclusively('chromium', async () => find() ?? ((await installWithApt('chromium')) ? find() : undefined))) ?? missing();
}

const find = () => ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'].map(inPath).find(Boolean);

function missing() {
  throw new SetupError(howToInstall);
}

if (isEntryPoint(import.meta.url)) await main(async () => console.log(await chromium()));
