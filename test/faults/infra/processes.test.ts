import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../support/servers/until.js';
import { spawnNode, type NodeProcess, type SpawnOptions } from './processes.js';

const chatty = new URL('./fixtures/chatty.ts', import.meta.url);
const children: NodeProcess[] = [];

async function start(options?: SpawnOptions): Promise<NodeProcess> {
  const child = await spawnNode(chatty, options);
  children.push(child);
  return child;
}

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill9()));
});

describe('spawnNode', () => {
  it('waits for ready and talks both ways', async () => {
    const child = await start();
    await child.send('hello');
    expect(await child.signal('echo')).toBe('hello');
  });

  it('kills for certain', async () => {
    const child = await start();
    await child.kill9();
    expect(child.exit).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(child.signal('echo')).rejects.toThrow('SIGKILL');
  });

  it('stops and goes on', async () => {
    const child = await start();
    await child.freeze();
    await child.send('late');
    await expect(child.signal('echo', 100)).rejects.toThrow('did not signal');
    await child.thaw();
    expect(await child.signal('echo')).toBe('late');
  });

  it('shows the output of a child that failed', async () => {
    const child = await start();
    await child.send('fail');
    await expect(child.signal('echo')).rejects.toThrow('told to fail');
  });

  it('does not outlive a parent that was killed', async () => {
    const parent = fileURLToPath(new URL('./fixtures/doomed-parent.ts', import.meta.url));
    const result = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), parent], { encoding: 'utf8' });
    expect(result.signal).toBe('SIGKILL');
    const pids = result.stdout.trim().split(' ').map(Number);
    expect(pids).toHaveLength(2);
    await until('the orphans are gone', () => pids.every((pid) => !isAlive(pid)));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
