import { describe, expect, it } from 'vitest';
import { Random } from './random.js';

const draw = (random: Random, count = 5): number[] => Array.from({ length: count }, () => random.uint32());

describe('Random', () => {
  it('is the published xoshiro128**', () => {
    // Output of the authors' C code from the state {1, 2, 3, 4}.
    expect(draw(Random.fromState([1, 2, 3, 4]), 6)).toEqual([11_520, 0, 5_927_040, 70_819_200, 2_031_721_883, 1_637_235_492]);
  });

  it('replays from its seed', () => {
    expect(draw(new Random(7))).toEqual(draw(new Random(7n)));
    expect(draw(new Random(7))).not.toEqual(draw(new Random(8)));
  });

  it('forks streams that do not depend on what was drawn before', () => {
    const drawn = new Random(7);
    draw(drawn, 100);
    expect(draw(drawn.fork('proxy'))).toEqual(draw(new Random(7).fork('proxy')));
    expect(draw(drawn.fork('proxy'))).not.toEqual(draw(drawn.fork('nemesis')));
  });

  it('stays within the bounds and reaches them', () => {
    const random = new Random(1);
    const seen = new Set(Array.from({ length: 1_000 }, () => random.integer(3, 6)));
    expect([...seen].sort()).toEqual([3, 4, 5, 6]);
  });

  it('picks by weight, and never what weighs nothing', () => {
    const random = new Random(1);
    const counts = { a: 0, b: 0, c: 0 };
    const weights = { a: 1, b: 3, c: 0 };
    for (let n = 0; n < 4_000; n += 1) counts[random.pickWeighted(['a', 'b', 'c'] as const, (item) => weights[item])] += 1;
    expect(counts.c).toBe(0);
    expect(counts.b / counts.a).toBeGreaterThan(2.5);
    expect(counts.b / counts.a).toBeLessThan(3.5);
  });

  it('refuses to pick from nothing', () => {
    expect(() => new Random(1).pick([])).toThrow(RangeError);
  });
});
