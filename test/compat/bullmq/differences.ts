import { differencesOf, type Group } from '../surface/differences.js';

/**
 * Every name of BullMQ 6.7's declarations for which code written against BullMQ does not compile against Drover. All
 * others are the same. A test holds this table against the compiler: what is missing here fails, and so does what is
 * here and no longer true.
 */

const classes = ['FlowProducer', 'JobScheduler', 'Queue', 'QueueBase', 'QueueEvents', 'QueueEventsProducer', 'QueueGetters', 'Worker'];
const of = (owners: string[], ...members: string[]): string => owners.flatMap((owner) => members.map((member) => `${owner}.${member}`)).join(' ');

const groups: Group[] = [
  // Same names, other types.
  {
    verdict: 'better', because: 'also a `redis://` or `rediss://` URL as text; clients are those of ioredis',
    names: 'ConnectionOptions ClusterOptions RedisOptions RedisClient',
  },
  {
    verdict: 'better', because: 'answers the ioredis client of the queue as `getBackend().client`, and nothing else',
    names: of(classes, 'getBackend'),
  },
  {
    verdict: 'better', because: 'the builder of a queue’s keys, not a map of them; `toKey(type)` is the same',
    names: `${of(classes.filter((name) => name !== 'FlowProducer'), 'keys')} QueueKeys`,
  },
  {
    verdict: 'better', because: 'the connection has to be named; the third argument, a backend, is not taken',
    names: of(classes, 'constructor'),
  },
  { verdict: 'better', because: 'each of `age`, `count` and `limit` may stand alone', names: 'KeepJobs' },
  { verdict: 'better', because: 'also `paused`, which counts nothing, for dashboards of earlier versions', names: 'JobType' },
  { verdict: 'better', because: 'a text that names the case and never changes, listed in docs/errors.md, instead of a negative number', names: 'ErrorCode' },
  { verdict: 'better', because: 'plain data with real values; nothing but the job’s fields', names: 'Job.toJSON' },
  { verdict: 'better', because: 'answers the client that it is given: nothing has to be wrapped', names: 'createIORedisClient' },
  { verdict: 'better', because: 'also on a cluster; `prefix` is `drover` by default', names: 'removeAllQueueData' },
  { verdict: 'better', because: 'the type says that there may be none', names: 'Worker.getNextJob FlowProducer.getFlow' },
  { verdict: 'better', because: 'the type says that `prev` may be missing', names: 'QueueEventsListener.removed' },
  { verdict: 'better', because: '`jobs` are plain data with real values', names: of(['Queue', 'QueueGetters'], 'getDependencies') },
  { verdict: 'better', because: 'returns its result or a promise of it, and gets a signal; no callback', names: 'SandboxedJobProcessor' },
  { verdict: 'better', because: 'takes jobs of Drover; the next one is not fetched along', names: 'Worker.processJob' },
  { verdict: 'better', because: 'takes the queue itself, which is what callers have', names: 'Job.constructor Job.static_create Job.static_createBulk Job.static_fromJSON Job.static_fromId Job.static_addJobLog' },
  { verdict: 'better', because: 'takes Drover’s QueueEvents; never misses an end that comes first, and cleans up on timeout', names: 'Job.waitUntilFinished' },
  { verdict: 'better', because: 'resolves when the row is stored, with the number of rows', names: 'SandboxedJob.log' },
  {
    verdict: 'better', because: 'what calls after `close()` reject with, as `ClosedError`; what breaks on the way is a RedisError, with a code that says whether the outcome is known',
    names: 'ConnectionClosedError',
  },
  { verdict: 'better', because: 'a list of traces, not a text of JSON', names: 'SandboxedJob.stacktrace' },

  // Not there: other datastores and clients.
  {
    verdict: 'left out', because: 'Drover speaks to Redis and Valkey through ioredis only: there are no exchangeable backends and clients', short: 'other backends, and clients other than ioredis',
    names: `BackendClasses BackendFactory BaseOptions BunRedisRawClient ClientType DatabaseType IConnection IQueueBackend IRedisClient IRedisTransaction
      NodeRedisCommandArgument NodeRedisRawClient NodeRedisRawTransaction RawCommand RedisCommandArgument RedisConnection RedisConnectionClient RedisQueueBackend
      ScriptQueueContext StreamName StreamReadRaw EntryId EntryRaw createBunRedisClient createNodeRedisClient createRedisBackend
      createValkeyGlideClient getDefaultBackendFactory setDefaultBackendFactory withBackend isIRedisClient
      isRedisVersionLowerThan raw2NextJobData ${of([...classes.filter((name) => name !== 'FlowProducer'), 'MinimalQueue'], 'backend')}
      AddChildrenOpts AddNodeOpts FlowJobEntry JobData MoveToDelayedOpts ParentKeyOpts RetryJobOpts Job.addJob Job.toFlowEntry Job.static_optsFromJSON`,
  },
  {
    verdict: 'left out', because: 'these type parameters choose a backend', short: 'other backends, and clients other than ioredis',
    names: `${classes.map((name) => `${name}<…>`).join(' ')} MinimalQueue<…>`,
  },
  {
    verdict: 'left out', because: 'no Postgres', short: 'Postgres',
    names: `DEFAULT_SCHEMA LATEST_SCHEMA_VERSION MIGRATION_ADVISORY_LOCK_KEY MINIMUM_POSTGRES_VERSION RECOMMENDED_POSTGRES_VERSION PgModule PgNotification PgPool
      PgPoolClient PgPoolConfig PgQueryResult PgQueryable PostgresConnection PostgresConnectionOptions PostgresPoolConfig PostgresQueueBackend PostgresRelayBackend
      SchemaMigrationRequiredError SchemaVersionMismatchError UnsupportedPostgresVersionError assertPostgresVersion assertSchemaCompatibility createPostgresBackend
      createPostgresRelayBackend isPgPool quoteSchemaName runMigrations`,
  },
  {
    verdict: 'left out', because: 'the experimental publish and subscribe beside the queues', short: 'the experimental relay: publish and subscribe beside the queues',
    names: `IRelayBackend RELAY_LAYOUT_VERSION RELAY_MINIMUM_REDIS_VERSION RedisRelayBackend Relay RelayBackendFactory RelayBackendOptions RelayCounts RelayError
      RelayErrorCode RelayInboxBatch RelayInboxEntry RelayListener RelayMessage RelayNodeConnection RelayNodeInfo RelayNodeState RelayOptions RelayPatternState
      RelayPublishOptions RelayPublishOpts RelayPublishResult RelayRetainedMessage RelayRetainedState RelaySubscribeResult RelaySubscription RelaySubscriptionFilter
      RelaySubscriptionState checkRelayResult createRedisRelayBackend`,
  },
  // Not there: BullMQ's own works.
  {
    verdict: 'left out', inside: true, because: 'how BullMQ runs jobs in child processes; use `Worker` with a file, or `Sandbox`', short: 'how BullMQ works inside: helpers, constants and the running of child processes',
    names: `Child ChildCommand ChildMessage ChildPool ChildProcessor ParentCommand ParentMessage Receiver asyncSend childSend errorToJSON`,
  },
  {
    verdict: 'left out', inside: true, because: 'a part of BullMQ’s inside that it happens to export', short: 'how BullMQ works inside: helpers, constants and the running of child processes',
    names: `AsyncFifoQueue BULLMQ_MAJOR_VERSION Backoffs BuiltInStrategies DELAY_TIME_1 DELAY_TIME_5
      LockManager LockManagerOptions LockManagerWorkerContext MinimalQueue.keys
      array2obj clientCommandMessageReg decreaseMaxListeners delay errorObject forwardConnectionError getParentKey increaseMaxListeners invertObject isEmpty
      isNotConnectionError lengthInUtf8Bytes objectToFlatArray optsDecodeMap optsEncodeMap parseObjectValues randomUUID removeUndefinedFields
      toString trace tryCatch withDetachedContext FlowProducer.keys Worker.delay Worker.minimumBlockTimeout
      Worker.maximumBlockTimeout`,
  },
  {
    verdict: 'left out', because: 'about data of BullMQ 5 and earlier, which Drover does not read', short: 'data of BullMQ 5 and earlier',
    names: `LEGACY_REPEATABLE_JOBS_MIGRATION_URL getLegacyRepeatableJobError hasLegacyRepeatableKeyShape isLegacyRepeatableJobKey SandboxedJob.debounceId`,
  },
  ];

export const differences = differencesOf(groups);
