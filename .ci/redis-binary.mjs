// Where a Redis server program comes from: the one the user named, the PATH, or the system's packages.

import path from 'node:path';
import { inPath, installWithApt, isProgram } from './apt.mjs';
import { capture, SetupError } from './steps.mjs';

const oldestSupported = [6, 2];

const howToInstall = `Drover's tests and examples need a Redis server program, and there is none in the PATH.
Install one, and run the command again:

  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora, RHEL     sudo dnf install valkey        (or redis)
  Alpine           apk add redis                  (or valkey)
  Arch             sudo pacman -S valkey
  macOS            brew install redis             (or valkey)
  Windows          use WSL, and install as on Debian

Or name one: DROVER_REDIS_SERVER=/path/to/redis-server, or REDIS_URL=redis://host:port for a
server that is running already and whose data you can spare.`;

/** The server program, installed from the system's packages if need be. Throws a SetupError if there is none. */
export async function redisServer() {
  const binary = (await findRedisServer()) ?? (await installed());
  if (!binary) throw new SetupError(howToInstall);
  const [major, minor] = oldestSupported;
  if (binary.name === 'redis' && (binary.major < major || (binary.major === major && binary.minor < minor))) {
    throw new SetupError(`${binary.path} is Redis ${binary.version}; Drover needs ${oldestSupported.join('.')} or newer.
Name another: DROVER_REDIS_SERVER=/path/to/redis-server, or REDIS_URL=redis://host:port.`);
  }
  return binary;
}

/** The server program that is there, or undefined. Installs nothing. */
export async function findRedisServer() {
  const named = process.env.DROVER_REDIS_SERVER;
  if (named) {
    if (!isProgram(named)) throw new SetupError(`DROVER_REDIS_SERVER names ${named}, which is not a program.`);
    return describe(path.resolve(named));
  }
  const found = ['redis-server', 'valkey-server'].map(inPath).find(Boolean);
  return found && describe(found);
}

async function describe(program) {
  const { output } = await capture(program, ['--version']);
  const [, version] = /v=(\d+\.\d+\.\d+)/.exec(output) ?? [];
  if (!version) throw new SetupError(`${program} is no Redis or Valkey server: it does not tell its version.`);
  const [major, minor] = version.split('.').map(Number);
  return { path: program, name: /valkey/i.test(output) ? 'valkey' : 'redis', version, major, minor };
}

async function installed() {
  if (!(await installWithApt('redis-server'))) return undefined;
  // It came for this project's tests, so it must neither run nor start with the machine.
  if (inPath('systemctl')) await capture('systemctl', ['disable', '--now', 'redis-server']);
  return findRedisServer();
}
