/** Whom a fault is to strike is asked anew each time: primaries change, workers die. */
export type Supplier<T> = () => T | Promise<T>;
