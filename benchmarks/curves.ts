import { circle, document, line, polyline, text } from './svg.js';

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly logarithmic?: boolean;
  readonly curves: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const colours = ['#2a7f62', '#c8553d', '#3f7fd0', '#9c5fc4', '#e0a100'];
const ink = '#1f2933';
const faint = '#66727d';
const grid = '#e3e8ec';
const panelWidth = 480;
const panelHeight = 300;

/** Panels side by side, two in a row. Every y axis starts at zero. */
export function drawCurves(panels: readonly Panel[], title: string): string {
  const drawn = panels.filter((panel) => panel.curves.some(({ points }) => points.length > 0));
  const elements = drawn.flatMap((panel, index) =>
    drawPanel(panel, { left: 70 + (index % 2) * panelWidth, top: 100 + Math.floor(index / 2) * panelHeight, width: panelWidth - 110, height: panelHeight - 100 }),
  );
  return document(2 * panelWidth, 60 + Math.ceil(drawn.length / 2) * panelHeight, [text(24, 36, title, { size: 18, fill: ink, bold: true }), ...elements]);
}

function drawPanel(panel: Panel, box: Box): string[] {
  const points = panel.curves.flatMap((curve) => curve.points);
  const xs = points.map(([x]) => (panel.logarithmic ? Math.log10(x) : x));
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const top = roundUp(Math.max(...points.map(([, y]) => y)));
  const toX = (x: number): number => box.left + (high === low ? 0.5 : ((panel.logarithmic ? Math.log10(x) : x) - low) / (high - low)) * box.width;
  const toY = (y: number): number => box.top + (1 - y / top) * box.height;
  return [
    text(box.left, box.top - 26, panel.title, { size: 14, fill: ink, bold: true }),
    text(box.left, box.top - 10, panel.y, { size: 11, fill: faint }),
    text(box.left + box.width, box.top + box.height + 34, panel.x, { size: 11, fill: faint, anchor: 'end' }),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
      line({ x1: box.left, y1: toY(share * top), x2: box.left + box.width, y2: toY(share * top), stroke: grid, width: 1 }),
      text(box.left - 8, toY(share * top) + 4, short(share * top), { size: 11, fill: faint, anchor: 'end' }),
    ]),
    ...tickValues(points.map(([x]) => x)).map((x) => text(toX(x), box.top + box.height + 18, short(x), { size: 11, fill: faint, anchor: 'middle' })),
    ...panel.curves.flatMap((curve, index) => drawCurve(curve, { colour: colours[index % colours.length] ?? ink, toX, toY, nameAt: [box.left + box.width - 10, box.top - 26 + index * 14] })),
  ];
}

function drawCurve(
  { name, points }: Panel['curves'][number],
  { colour, toX, toY, nameAt }: { colour: string; toX: (x: number) => number; toY: (y: number) => number; nameAt: readonly [number, number] },
): string[] {
  const placed = points.map(([x, y]) => [toX(x), toY(y)] as const);
  const dots = points.length > 20 ? [] : placed.map(([x, y]) => circle(x, y, 4, colour));
  return [polyline(placed, colour), ...dots, text(nameAt[0], nameAt[1], name, { size: 12, fill: colour, anchor: 'end', bold: true })];
}

/** All values where there are few, else the ends and the middle. */
function tickValues(values: readonly number[]): number[] {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct.length <= 6) return distinct;
  return [0, Math.floor((distinct.length - 1) / 2), distinct.length - 1].map((index) => distinct[index] ?? 0);
}

function roundUp(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return magnitude * ([1, 2, 4, 5, 8, 10].find((step) => step * magnitude >= value) ?? 10);
}

function short(value: number): string {
  if (value >= 1e6) return `${trim(value / 1e6)}M`;
  return value >= 1e3 ? `${trim(value / 1e3)}k` : trim(value);
}

const trim = (value: number): string => String(Math.round(value * 100) / 100);
