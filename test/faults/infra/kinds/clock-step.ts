import { steppedClockUnavailable, type SteppedClock } from '../clock/stepped-clock.js';
import type { Fault } from '../nemesis.js';
import type { Supplier } from './supplier.js';

/** Sets the wall clock of whoever runs under `clock` forwards or backwards; afterwards it is right again. */
export function clockStep(clock: Supplier<SteppedClock>, stepsMs: readonly number[] = [60_000, -60_000, 3_600_000, -3_600_000]): Fault {
  return {
    kind: 'clock-step',
    unavailable: steppedClockUnavailable,
    async inject(random) {
      const struck = await clock();
      const stepMs = random.pick(stepsMs);
      struck.set(stepMs);
      return { detail: { stepMs }, heal: () => struck.set(0) };
    },
  };
}
