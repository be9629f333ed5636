import { expect, test } from 'vitest';
import { diagnose } from '../../src/redis/failure.js';

// Of Redis 7.0, and of Redis 8.0 and Valkey 8.0.
test.each([
  'ERR The user executing the script can\'t run this command or subcommand script: 1a8c67, on @user_script:1.',
  'ERR ACL failure in script: User drover-producer has no permissions to run the \'time\' command script: 1a8c67, on @user_script:1.',
  'ERR ACL failure in script: No permissions to access a key script: eefb07, on @user_script:1.',
])('what a user may not do within a script is REDIS_DENIED: %s', (said) => {
  expect(diagnose(new Error(said))).toEqual({ remedy: 'report', code: 'REDIS_DENIED' });
});
