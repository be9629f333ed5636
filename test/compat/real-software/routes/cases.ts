import type { Stage } from '../board.js';

/** What is expected of each route, on a queue of its own. */
export type Cases = Record<string, (stage: Stage, route: string) => Promise<void>>;
