import type { Call } from '../machine/calls.js';
import type { Columns } from '../machine/columns.js';
import { damage } from '../wire/read-state.js';
import type { Chooser } from './player.js';

const hashes = ['job', 'run', 'state', 'outcome', 'history', 'progress', 'sessions', 'dedup', 'outbox', 'pending', 'schedule', 'scheduleRuns'] as const satisfies readonly (keyof Columns)[];
const corruptible = ['state', 'history', 'sessions', 'dedup', 'outbox', 'scheduleRuns', 'outcome', 'progress', 'run'] as const satisfies readonly (keyof Columns)[];
const sets = ['wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'expire'] as const satisfies readonly (keyof Columns)[];

/** Something else writes to the keys of a queue: a field or a key is lost, or holds what nobody can read. */
export function chooseDamage(chooser: Chooser): Call | undefined {
  const { dice, queue, name } = chooser;
  const plain = (key: string, command: string, ...args: (string | number)[]): Call => ({ verb: 'plain', queue: name, key, command, args });
  switch (dice.of('field', 'field', 'value', 'value', 'value', 'member', 'key', 'book')) {
    case 'field': {
      const key = dice.of(...hashes);
      const field = dice.from([...queue[key].keys()]);
      return field === undefined ? undefined : plain(key, 'HDEL', field);
    }
    case 'value': {
      const key = dice.of(...corruptible);
      const field = dice.from([...queue[key].keys()]);
      return field === undefined ? undefined : plain(key, 'HSET', field, key === 'run' ? 'no lease' : damage);
    }
    case 'member': {
      const key = dice.of(...sets);
      const field = dice.from([...queue[key].keys()]);
      return field === undefined ? undefined : plain(key, 'ZREM', field);
    }
    case 'key': return plain(dice.of(...hashes, ...sets, 'logs', 'rate', 'marker', 'metrics', 'schedules', 'meta'), 'DEL');
    case 'book': {
      const parent = dice.from([...queue.children.keys()]);
      const child = dice.from([...(queue.children.get(parent ?? '')?.keys() ?? [])]);
      if (parent === undefined || child === undefined) return undefined;
      return dice.oneIn(2) ? plain(`children:${parent}`, 'HDEL', child) : plain(`children:${parent}`, 'HSET', child, damage);
    }
  }
}
