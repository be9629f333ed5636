/** Anything with a `close`: workers, queues, QueueEvents, servers. A worker's takes `force`. */
export interface Closable {
  close(force?: boolean): Promise<unknown>;
}

export interface CloseOnSignalsOptions {
  /** Which signals. Default SIGTERM and SIGINT. */
  signals?: NodeJS.Signals[];
  /** Called when closing something failed. Default: the process ends with exit code 1. */
  onError?: (error: unknown) => void;
}

/**
 * Closes everything in order when the process is told to end, and then lets the signal do what it does by default.
 * Each waits for the one before, so put workers before the queues they use. A second signal forces what still closes.
 *
 * Answers a function that undoes this.
 *
 * ```ts
 * closeOnSignals([worker, queue]);
 * ```
 */
export function closeOnSignals(closables: readonly Closable[], options: CloseOnSignalsOptions = {}): () => void {
  const { signals = ['SIGTERM', 'SIGINT'], onError = () => void (process.exitCode = 1) } = options;
  let closing = false;

  const undo = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closing) {
      for (const closable of closables) closable.close(true).catch(onError);
      return;
    }
    closing = true;
    void closeInOrder(closables, onError).then(() => {
      undo();
      process.kill(process.pid, signal);
    });
  };

  for (const signal of signals) process.on(signal, onSignal);
  return undo;
}

async function closeInOrder(closables: readonly Closable[], onError: (error: unknown) => void): Promise<void> {
  for (const closable of closables) {
    try {
      await closable.close();
    } catch (error) {
      onError(error);
    }
  }
}
