import type { Logger as PinoLogger } from 'pino';

/** The part of a pino logger that Drover uses; anything with these methods will do. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

const nothing = (): void => undefined;

/** Logs nothing. */
export const noLog: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
