export { Queue, type ObliterateOpts, type QueueListener, type QueueOptions } from './queue/queue.js';
export { type AnyJobOf, type DataOf, type JobMap, type JobOf, type NameOf, type ResultOf } from './queue/job-types.js';
export { Job, type JobAdder, type JobOwner, type JobProgress } from './queue/job.js';
export { type JobJson, type JobJsonSandbox, type JobView, type ParentKeys } from './queue/job-json.js';
export { type NextJobData } from './queue/next-job-data.js';
export { QueueBase, type Backend, type QueueBaseOptions } from './queue/queue-base.js';
export { removeAllQueueData } from './queue/remove-all-queue-data.js';
export { QueueGetters } from './queue/queue-getters.js';
export { QueueKeys } from './redis/keys.js';
export { type JobSchedulerTemplateJson, type ScheduleTemplate, type ScheduleView, type ScheduleView as JobSchedulerJson } from './queue/schedules.js';
export { JobScheduler, type RepeatBaseOptions, type UpsertOptions } from './queue/job-scheduler.js';
export { FlowProducer, type FlowProducerListener, type FlowProducerOptions } from './flows/flow-producer.js';
export {
  type FlowJob, type FlowJobBase, type FlowJobNode, type FlowNestedLeafJob, type FlowOpts, type FlowParentJob, type FlowQueuesOpts, type FlowRootLeafJob,
  type FlowRootParentJob,
} from './flows/flow-job.js';
export { type JobNode, type NodeOpts } from './flows/read-flow.js';
export { type Dependencies, type DependenciesCount, type DependenciesOpts, type DependencyOpts } from './queue/dependencies.js';
export { type ChildrenPage } from './queue/read-children.js';
export { Worker } from './worker/worker.js';
export { type Processor, type ProcessorMap, type ProcessorSource } from './worker/processor.js';
export { closeOnSignals, type Closable, type CloseOnSignalsOptions } from './worker/close-on-signals.js';
export { type WorkerListener } from './worker/worker-listener.js';
export { type GetNextJobOptions, type RateLimiterOptions, type SandboxedOptions, type WorkerOptions } from './worker/worker-options.js';
export { Sandbox, type SandboxJobData, type SandboxJobHost, type SandboxOptions, type SandboxedJob, type SandboxedJobProcessor } from './sandbox/sandbox.js';
export { QueueEvents, type QueueEventsOptions } from './events/queue-events.js';
export { QueueEventsProducer, type QueueEventsProducerOptions } from './events/queue-events-producer.js';
export { type Gap, type QueueEventsListener } from './events/event-types.js';
export { type AddAndWaitOptions, type FinishWaiter, type WaitOptions } from './queue/finish-waiter.js';
export { type BackoffOptions } from './core/backoff.js';
export {
  type AdvancedOptions, type BackoffStrategy, type BaseJobOptions, type BulkJobOptions, type CompressableJobOptions, type FinishedPropValAttribute, type FinishedStatus, type IoredisListener,
  type JobSchedulerJobOptions, type JobSchedulerTemplateOptions, type KeyPrefixOptions, type KeysMap, type MinimalJob, type MinimalQueue, type MoveToWaitingChildrenOpts, type Parent, type ParentOptions, type RedisKeyPrefixOptions,
  type RepeatableOptions,
  type QueueMeta, type RetryOptions,
} from './queue/bullmq-types.js';
export { type Durability } from './core/durability.js';
export { type ScheduleOptions } from './core/cron.js';
export {
  DELAYED_ERROR, DelayedError, RATE_LIMIT_ERROR, RateLimitError, UNRECOVERABLE_ERROR, UnrecoverableError, WAITING_CHILDREN_ERROR, WAITING_ERROR,
  WaitingChildrenError, WaitingError,
} from './core/control-errors.js';
export {
  CONNECTION_CLOSED_ERROR_MSG, ClosedError, ConnectionClosedError, DroverError, DurabilityError, InvalidInputError, LeaseLostError, PendingChildrenError, RedisError, SchemaMismatchError, StateError, TimeoutError,
  type ErrorCode,
} from './core/errors.js';
export { PRIORITY_LIMIT, type DeduplicationOptions, type DefaultJobOptions, type JobsOptions, type KeepJobs } from './core/job-options.js';
export { type JobSchemas, type SchemaIssue, type SchemaResult, type StandardSchemaV1 } from './core/schema.js';
export { type AdvancedRepeatOptions, type RepeatOptions, type RepeatStrategy } from './core/strategies.js';
export { MetricsTime, type Metrics, type MetricsOptions } from './metrics/metrics.js';
export { MetricNames, SpanKind, TelemetryAttributes } from './telemetry/names.js';
export {
  type AttributeValue, type Attributes, type ContextManager, type Counter, type Exception, type ExceptionType, type Gauge, type Histogram, type Meter,
  type MetricOptions, type Span, type SpanOptions, type Telemetry, type Time, type Tracer,
} from './telemetry/telemetry.js';
export { type AttemptRecord } from './core/job-record.js';
export { getNextMillis, getNextMillis as defaultRepeatStrategy } from './core/next-millis.js';
export { type JobState, type JobType } from './core/states.js';
export { type Logger } from './core/logger.js';
export {
  createIORedisClient, isClient as isRedisInstance, isCluster as isRedisCluster, type ClusterOptions, type ConnectionOptions, type RedisClient, type RedisOptions,
} from './redis/options.js';
export { QUEUE_EVENT_SUFFIX } from './redis/client-name.js';
