/** Errors as Redis 7 words them, for rules that put one in place of a reply. */
export const redisErrors = {
  READONLY: "READONLY You can't write against a read only replica.",
  LOADING: 'LOADING Redis is loading the dataset in memory',
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
  BUSY: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  MISCONF:
    'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk. ' +
    'Commands that may modify the data set are disabled, because this instance is configured to report errors ' +
    'during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs ' +
    'for details about the RDB error.',
  TRYAGAIN: 'TRYAGAIN Multiple keys request during rehashing of slot',
  NOSCRIPT: 'NOSCRIPT No matching script. Please use EVAL.',
  MASTERDOWN: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  NOREPLICAS: 'NOREPLICAS Not enough good replicas to write.',
  CLUSTERDOWN: 'CLUSTERDOWN The cluster is down',
  UNBLOCKED: 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
  NOPERM: 'NOPERM this user has no permissions to run this command',
} as const;
