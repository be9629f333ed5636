import { apply } from '../machine/apply.js';
import type { Call } from '../machine/calls.js';
import { chooseDamage } from './choose-damage.js';
import { flowChoices } from './choose-flows.js';
import { jobChoices } from './choose-jobs.js';
import { Dice } from './dice.js';
import { Chooser, Player, type Step } from './player.js';

/** A run before it meets a state: a number per step from which its choices follow. */
export interface Script {
  damaged: boolean;
  dice: readonly number[];
}

const choices = [...jobChoices, ...flowChoices];
const whole = choices.reduce((sum, [weight]) => sum + weight, 0);

const ticksMs = [1, 5, 500, 1000, 1001, 30_000, 60_000, 3_600_000, 90_000_000, -1, -1000, -3_600_000];

/** Chooses every step of a run by the state that the steps before it led to. */
export function plan({ damaged, dice }: Script): Step[] {
  const player = new Player();
  for (const number of dice) step(player, new Dice(number), damaged);
  return player.steps;
}

function step(player: Player, dice: Dice, damaged: boolean): void {
  const { world } = player;
  world.micros += dice.below(1500);
  if (dice.oneIn(8)) world.micros += dice.of(...(ticksMs as [number, ...number[]])) * 1000;
  if (dice.oneIn(400)) player.flushes = true;
  const chooser = new Chooser(player, dice, dice.oneIn(6) ? 'd' : 'q');
  const call = damaged && dice.oneIn(8) ? chooseDamage(chooser) : dice.oneIn(10) ? repeat(player, dice) : choose(chooser);
  if (!call) return;
  player.steps.push({ micros: world.micros, call: structuredClone(call), ...(player.flushes && { flush: true }) });
  player.flushes = false;
  noteLeases(player, apply(world, call));
}

function choose(chooser: Chooser): Call | undefined {
  let at = chooser.dice.below(whole);
  for (const [weight, pick] of choices) {
    at -= weight;
    if (at < 0) return pick(chooser);
  }
  return undefined;
}

/** Any past call once more, the last one or an older one. A session that was swept is a day old: nobody repeats that long. */
function repeat(player: Player, dice: Dice): Call | undefined {
  const { steps, world } = player;
  const call = (dice.oneIn(2) ? steps.at(-1) : dice.from(steps))?.call;
  if (!call || call.verb === 'plain') return undefined;
  if (!('session' in call) || call.session === '') return call;
  return typeof world.queue(call.queue).sessions.get(call.session) === 'object' ? call : undefined;
}

function noteLeases(player: Player, reply: unknown): void {
  if (typeof reply !== 'object' || reply === null || !('lease' in reply) || !('ids' in reply)) return;
  const { ids, lease } = reply as { ids: string[]; lease: string };
  for (const id of ids) player.leases.push({ id, lease });
}
