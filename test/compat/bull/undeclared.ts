import { EventEmitter } from 'node:events';
import Old from 'bull';
import { compareSurfaces } from '../surface/surface.js';
import { bull } from './library.js';

/** How Bull works inside: nobody calls these from outside, and Drover works otherwise. */
export const innerParts: ReadonlySet<string> = new Set([
  'Queue.start', 'Queue.setHandler', 'Queue.run', 'Queue.updateDelayTimer', 'Queue.moveUnlockedJobsToWait', 'Queue.startMoveUnlockedJobsToWait',
  'Queue.processJobs', 'Queue.processJob', 'Queue.moveToActive', 'Queue.retryJob', 'Queue.clientInitialized', 'Queue.processing', 'Queue.retrieving',
  'Queue.drained', 'Queue.timers', 'Queue.getJobFromId',
  'static Job.fromJSON', 'static utils.errorObject', 'static utils.tryCatch', 'static utils.isRedisReady', 'static utils.emitSafe',
]);

/** What a queue of Bull's has as fields, and opens when they are read. A test compares it with a queue. */
export const fields = [
  'name', 'token', 'keyPrefix', 'clients', 'clientInitialized', 'handlers', 'processing', 'retrieving', 'drained', 'settings', 'metrics', 'timers',
  'moveUnlockedJobsToWait', 'processJob', 'getJobFromId', 'keys', 'client', 'eclient', 'bclient', 'limiter', 'defaultJobOptions', 'closing',
];

interface Statics {
  Job: { prototype: object };
  utils: object;
}

/** The public names that Bull has at run time and leaves out of its declarations. */
export function undeclared(): string[] {
  const { Job, utils } = Old as unknown as Statics;
  const declared = new Set(compareSurfaces(bull).map(({ name }) => name));
  const names = [
    ...new Set([...Object.getOwnPropertyNames(Old.prototype), ...fields].map((name) => `Queue.${name}`)),
    ...Object.getOwnPropertyNames(Job.prototype).map((name) => `Job.${name}`),
    ...Object.keys(Old).map((name) => `static ${name}`),
    ...Object.keys(Job).map((name) => `static Job.${name}`),
    ...Object.keys(utils).map((name) => `static utils.${name}`),
  ];
  return names.filter((name) => !declared.has(name) && !/\._|\.constructor$/.test(name) && !(name.slice('Queue.'.length) in EventEmitter.prototype));
}
