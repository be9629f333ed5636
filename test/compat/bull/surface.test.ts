import Old from 'bull';
import Bull from 'drover/bull';
import { describe, expect, test } from 'vitest';
import { redisUrl, uniqueName } from '../../support/behaviour.js';
import { expectSurface } from '../surface/expectations.js';
import { bull } from './library.js';
import { openBull } from './support.js';
import { fields, innerParts, undeclared } from './undeclared.js';

describe('every public name of Bull', () => {
  expectSurface(bull, {
    names: ['Queue', 'Queue.add', 'Job.moveToFailed', 'JobOptions.repeat', 'ActiveEventCallback', 'JobStatusClean', 'AdvancedSettings.backoffStrategies'],
    atLeast: 180,
    code: 'test/compat/bull/code-for-bull.ts',
    declarations: './node_modules/bull/index.d.ts',
    entry: './src/compat/bull/index.ts',
  });
});

describe('what Bull has and does not declare', () => {
  test('is there, or is in the table of what it calls inside', () => {
    const queue = openBull();
    const names = undeclared();
    const { Job, utils } = Bull;
    const places: Record<string, object> = { 'Queue': queue, 'Job': Job.prototype, 'static ': Bull, 'static Job': Job, 'static utils': utils };
    const isThere = (name: string): boolean => {
      const [owner, member] = name.includes('.') ? name.split('.') : ['static ', name.slice('static '.length)];
      return (member ?? '') in (places[owner ?? ''] ?? {}) && !innerParts.has(name);
    };
    expect(names.filter((name) => !isThere(name) && !innerParts.has(name))).toEqual([]);
    expect([...innerParts].filter((name) => !names.includes(name))).toEqual([]);
  });

  test('is read from a queue of Bull’s too', async () => {
    const queue = new Old(uniqueName(), redisUrl);
    const own = Object.keys(queue).filter((name) => !name.startsWith('_') && !fields.includes(name));
    await queue.close();
    expect(own).toEqual([]);
  });
});
