import { circle, document, line, rectangle, text } from './svg.js';

/** One row of the chart, all values as "times better than the baseline". */
export interface RatioBar {
  readonly label: string;
  readonly value: number | undefined;
  readonly target: number | undefined;
  readonly met: boolean | undefined;
  readonly others: readonly { readonly name: string; readonly value: number | undefined }[];
}

const colours = { met: '#2a7f62', unmet: '#c8553d', untargeted: '#7a8793', target: '#1f2933', grid: '#e3e8ec', ink: '#1f2933', faint: '#66727d' };
const dotColours = ['#e0a100', '#3f7fd0', '#9c5fc4', '#20a4a4'];

const width = 1_040;
const left = 420;
const right = 970;
const top = 104;
const rowHeight = 34;
const barHeight = 16;
const ticks = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 50, 100];

/** Horizontal bars on a logarithmic scale that start at 1 ×, the baseline; dots are the other peers. */
export function drawRatios(bars: readonly RatioBar[], about: { subject: string; baseline: string; subtitle: string }): string {
  const values = bars.flatMap((bar) => [bar.value, bar.target, ...bar.others.map((other) => other.value)]).filter((value) => value !== undefined);
  const low = ticks.filter((tick) => tick <= Math.min(1, ...values)).at(-1) ?? 0.25;
  const high = ticks.find((tick) => tick >= Math.max(2, ...values)) ?? 100;
  const x = (value: number): number => {
    const share = Math.log(Math.min(Math.max(value, low), high) / low) / Math.log(high / low);
    return left + share * (right - left);
  };
  const bottom = top + bars.length * rowHeight;
  const names = [...new Set(bars.flatMap((bar) => bar.others.map((other) => other.name)))];
  const colourOf = (name: string): string => dotColours[names.indexOf(name) % dotColours.length] ?? colours.faint;

  const grid = ticks
    .filter((tick) => tick >= low && tick <= high)
    .flatMap((tick) => [
      line({ x1: x(tick), y1: top - 6, x2: x(tick), y2: bottom, stroke: tick === 1 ? colours.faint : colours.grid, width: tick === 1 ? 1.5 : 1 }),
      text(x(tick), bottom + 18, `${tick} ×`, { anchor: 'middle', size: 12, fill: colours.faint }),
    ]);

  const rows = bars.flatMap((bar, index) => {
    const middle = top + index * rowHeight + rowHeight / 2;
    return [
      text(left - 14, middle + 4, bar.label, { anchor: 'end', size: 13, fill: colours.ink }),
      ...(bar.value === undefined ? [] : drawBar(x, middle, { ...bar, value: bar.value })),
      ...bar.others.flatMap(({ name, value }) => (value === undefined ? [] : [circle(x(value), middle, 4, colourOf(name))])),
      ...(bar.target === undefined ? [] : [line({ x1: x(bar.target), y1: middle - 12, x2: x(bar.target), y2: middle + 12, stroke: colours.target, width: 2.5 })]),
    ];
  });

  return document(width, bottom + 36, [
    text(24, 34, `${about.subject}, times better than ${about.baseline} in the same run`, { size: 20, fill: colours.ink, bold: true }),
    text(24, 56, about.subtitle, { size: 12, fill: colours.faint }),
    ...legend(names.map((name) => ({ name, colour: colourOf(name) }))),
    ...grid,
    ...rows,
  ]);
}

function drawBar(x: (value: number) => number, middle: number, bar: RatioBar & { value: number }): string[] {
  const from = Math.min(x(1), x(bar.value));
  const to = Math.max(x(1), x(bar.value));
  const fill = bar.met === undefined ? colours.untargeted : bar.met ? colours.met : colours.unmet;
  return [
    rectangle({ x: from, y: middle - barHeight / 2, width: Math.max(1, to - from), height: barHeight, fill }),
    text(right + 10, middle + 4, `${bar.value.toFixed(1)} ×`, { size: 12, fill, bold: true }),
  ];
}

function legend(dots: readonly { name: string; colour: string }[]): string[] {
  const entries = [
    { name: 'target met', colour: colours.met, shape: 'bar' },
    { name: 'not met', colour: colours.unmet, shape: 'bar' },
    { name: 'target', colour: colours.target, shape: 'tick' },
    ...dots.map((dot) => ({ ...dot, shape: 'dot' })),
  ];
  return entries.flatMap(({ name, colour, shape }, index) => {
    const at = 30 + index * 112;
    const mark =
      shape === 'dot'
        ? circle(at, 79, 4, colour)
        : rectangle(shape === 'bar' ? { x: at - 6, y: 74, width: 12, height: 10, fill: colour } : { x: at - 1, y: 71, width: 2.5, height: 16, fill: colour });
    return [mark, text(at + 12, 83, name, { size: 12, fill: colours.faint })];
  });
}
