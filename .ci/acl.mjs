// `npm run test:acl`: the users of docs/redis-layout.md on the server of the run, for the tests to connect as.

import { Redis } from 'ioredis';
import { aclRule, roles } from './docs.mjs';

const password = 'secret';

/** Makes the users; answers the URL of any of them (`{role}` stands for the role) and how to ask what they were denied. */
export async function openRoles(url) {
  const admin = new Redis(url);
  for (const role of Object.keys(roles)) await admin.call('ACL', 'SETUSER', userOf(role), 'reset', 'on', `>${password}`, ...aclRule(role, '{*}:*').split(' '));
  // Beyond what Drover does, tests look at a queue through its own connection.
  await admin.call('ACL', 'SETUSER', userOf('operator'), '+dump', '+keys', '+hlen', '+xrange', '+zscan');
  await admin.call('ACL', 'LOG', 'RESET');
  await admin.config('SET', 'acllog-max-len', 1000);
  const users = new URL(url);
  users.username = userOf('ROLE');
  users.password = password;
  return {
    template: users.href.replace('ROLE', '{role}'),
    denials: async () => {
      const log = await admin.call('ACL', 'LOG', 1000);
      await admin.quit();
      return log.map(readEntry).filter(({ username, object }) => username.startsWith(userOf('')) && object !== 'client|setinfo');
    },
  };
}

const userOf = (role) => `drover-${role}`;

function readEntry(flat) {
  const entry = {};
  for (let i = 0; i + 1 < flat.length; i += 2) entry[flat[i]] = flat[i + 1];
  return entry;
}
