/** What the API allows. The limit is the queue's: the workers of all processes together stay below it. */
export const limiter = { max: 50, duration: 1_000 };
