// A Redis for one run: the one the user named, or a private one that is gone afterwards.
// Never a Redis that merely happens to listen on the usual port: it may hold somebody's data.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRedisServer, redisServer } from './redis-binary.mjs';
import { say, SetupError } from './steps.mjs';

const startAttempts = 5;
const readyWithinMs = 10_000;

// The guard owns the server: when its standard input closes, because stop() closed it or because the
// parent died in whatever way, it stops the server and removes the directory.
const guard = `
dir=$1; shift
"$@" >"$dir/redis.log" 2>&1 </dev/null &
pid=$!
read -r _
kill "$pid" 2>/dev/null
( sleep 5; kill -9 "$pid" 2>/dev/null ) >/dev/null 2>&1 &
late=$!
wait "$pid"
kill "$late" 2>/dev/null
rm -rf "$dir"
`;

/**
 * Resolves with `{ env, stop }`: what to add to the environment of whatever needs Redis (REDIS_URL, and
 * DROVER_REDIS_BIN for tests that start servers of their own), and how to end it.
 */
export async function openRedis() {
  if (process.env.REDIS_URL) {
    const binary = await findRedisServer();
    return { env: { REDIS_URL: process.env.REDIS_URL, ...(binary && { DROVER_REDIS_BIN: binary.path }) }, stop: async () => {} };
  }
  const binary = await redisServer();
  const server = await startServer(binary);
  say(`${binary.name} ${binary.version} on port ${server.port}, for this run only`);
  return { env: { REDIS_URL: `redis://127.0.0.1:${server.port}`, DROVER_REDIS_BIN: binary.path }, stop: server.stop };
}

async function startServer(binary) {
  let log = '';
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    const server = spawnServer(binary, await freePort());
    if (await server.ready()) return server;
    log = server.log();
    await server.stop();
    // Somebody else may have taken the free port in between; anything else will not get better.
    if (!/in use/i.test(log)) break;
  }
  throw new SetupError(`${binary.path} does not start:\n\n${log.trim()}`);
}

function spawnServer(binary, port) {
  const dir = mkdtempSync(path.join(tmpdir(), 'drover-redis-'));
  const command = [binary.path, ...serverOptions(binary, port, dir)];
  // Detached, so that Ctrl-C reaches the run first and the server goes last.
  const child = spawn('/bin/sh', ['-c', guard, 'drover-redis', dir, ...command], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.once('error', () => rmSync(dir, { recursive: true, force: true }));
  child.stdin.on('error', () => {});
  child.unref();
  child.stdin.unref?.();

  return {
    port,
    log: () => readLog(dir),
    ready: () => isReady(port, () => /in use|fatal|can't|exiting/i.test(readLog(dir))),
    stop: async () => {
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}

function serverOptions(binary, port, dir) {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no'];
  options.push('--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction');
  // Older servers allow DEBUG without being asked and do not know the option.
  if (binary.name === 'valkey' || binary.major >= 7) options.push('--enable-debug-command', 'local');
  return options;
}

async function isReady(port, hasFailed) {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    if (await answersPing(port)) return !hasFailed();
    if (hasFailed()) return false;
    await sleep(20);
  }
  return false;
}

function answersPing(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function readLog(dir) {
  try {
    return readFileSync(path.join(dir, 'redis.log'), 'utf8');
  } catch {
    return '';
  }
}
