/** The users that docs/redis-layout.md describes. */
export type Role = 'producer' | 'worker' | 'observer' | 'operator';

/**
 * The server of this run, as a user of this role when the run is to show that the documented permissions suffice
 * (`npm run test:acl`), else as a user who may do everything.
 */
export function urlAs(role: Role): string {
  const users = process.env['DROVER_TEST_USERS'];
  return users === undefined ? process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' : users.replace('%7Brole%7D', role).replace('{role}', role);
}
