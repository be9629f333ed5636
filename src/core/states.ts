/** The sorted sets that hold a queue's jobs; a job is in exactly one of them. */
export const stateSets = ['wait', 'delayed', 'active', 'parents', 'completed', 'failed'] as const;
export type StateSet = (typeof stateSets)[number];

/** The state of a job as users see it. `prioritized` is `waiting` with a priority above 0, as in BullMQ. */
export type JobState = 'waiting' | 'prioritized' | 'delayed' | 'active' | 'waiting-children' | 'completed' | 'failed';

/** Names that getters and counts accept, with the states they stand for. `paused` stands for nothing of its own. */
export type JobType = JobState | 'wait' | 'paused' | 'repeat';

/** The first score of a priority above 0; jobs of priority 0 lie below zero. */
const bandSize = 2 ** 32;

/** The priority that a score in `wait` stands for. */
export function priorityOfScore(score: number): number {
  return score < 0 ? 0 : Math.floor(score / bandSize);
}

/** The lowest and highest score that a priority has in `wait`, as Redis writes ranges. */
export function scoresOfPriority(priority: number): [string, string] {
  return priority === 0 ? ['-inf', '(0'] : [String(priority * bandSize), String((priority + 1) * bandSize - 1)];
}

/** What a job in a set is called. */
export function stateOf(set: StateSet, score: number): JobState {
  switch (set) {
    case 'wait': return priorityOfScore(score) > 0 ? 'prioritized' : 'waiting';
    case 'parents': return 'waiting-children';
    default: return set;
  }
}
