/** What Bull says in its errors; `Bull.ErrorMessages`. */
export const messages = {
  RETRY_JOB_NOT_EXIST: "Couldn't retry job: The job doesn't exist",
  RETRY_JOB_IS_LOCKED: "Couldn't retry job: The job is locked",
  RETRY_JOB_NOT_FAILED: "Couldn't retry job: The job has been already retried or has not failed",
  MISSING_REDIS_OPTS: `Using a redis instance with enableReadyCheck or maxRetriesPerRequest for bclient/subscriber is not permitted.
  see https://github.com/OptimalBits/bull/issues/1873
  `,
} as const;

/** The code of an error that Drover threw on purpose. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
