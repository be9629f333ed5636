import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

export interface Drawn {
  path: string;
  width: number;
  height: number;
}

const canvas = { width: 1600, height: 1200 };
const shapes = [
  { width: 1200, height: 800 },
  { width: 800, height: 1200 },
  { width: 1000, height: 1000 },
];
const formats = [
  { extension: 'jpg', encode: (image: Sharp) => image.jpeg({ quality: 85 }) },
  { extension: 'png', encode: (image: Sharp) => image.png({ compressionLevel: 1 }) },
  { extension: 'webp', encode: (image: Sharp) => image.webp({ quality: 80, effort: 0 }) },
];

/** Draws `count` numbered, grainy mountain landscapes as JPEG, PNG and WebP files in `directory`. */
export async function drawPictures(directory: string, count: number, signal: AbortSignal, onDrawn: (done: number) => void): Promise<Drawn[]> {
  await mkdir(directory, { recursive: true });
  sharp.concurrency(1);
  const grain = await drawGrain();
  const landscapes = await Promise.all(Array.from({ length: Math.min(6, Math.ceil(count / 20)) }, (_, index) => drawLandscape(index, grain)));

  const drawn: Drawn[] = [];
  let next = 1;
  const draw = async (): Promise<void> => {
    while (next <= count && !signal.aborted) {
      const number = next++;
      drawn.push(await drawPicture(directory, number, pick(landscapes, number)));
      onDrawn(drawn.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, draw));
  signal.throwIfAborted();
  return drawn;
}

/** One landscape makes many pictures: another part of it, another light, another number. */
async function drawPicture(directory: string, number: number, landscape: Buffer): Promise<Drawn> {
  const shape = pick(shapes, number);
  const { extension, encode } = pick(formats, Math.floor(number / shapes.length));
  const path = join(directory, `picture-${String(number).padStart(4, '0')}.${extension}`);
  const picture = sharp(landscape, { raw: { ...canvas, channels: 3 } })
    .extract({ ...shape, left: (number * 37) % (canvas.width - shape.width), top: canvas.height - shape.height })
    .linear([1, 0.8 + (number % 5) * 0.08, 0.75 + (number % 7) * 0.07], [(number % 9) * 3, 0, (number % 4) * 6])
    .composite([{ input: Buffer.from(numberPlate(number)), left: 40, top: shape.height - 140 }])
    .removeAlpha();
  await encode(picture).toFile(path);
  return { path, ...shape };
}

/** Noise like that of a camera: without it, a picture compresses better than any photograph. */
function drawGrain(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 24 } as const;
  return sharp({ create: { ...canvas, channels: 3, background: '#000', noise } })
    .raw()
    .toBuffer();
}

function drawLandscape(seed: number, grain: Buffer): Promise<Buffer> {
  return sharp(Buffer.from(mountains(seed)))
    .removeAlpha()
    .composite([{ input: grain, raw: { ...canvas, channels: 3 }, blend: 'soft-light' }])
    .removeAlpha()
    .raw()
    .toBuffer();
}

function mountains(seed: number): string {
  const hue = (seed * 67 + 210) % 360;
  const ridges = [0, 1, 2].map((depth) => {
    const top = (step: number) => Math.round(620 + depth * 170 + 90 * Math.sin(step * 1.7 + seed * 2 + depth * 3) + 40 * Math.sin(step * 4.1 + depth));
    const points = Array.from({ length: 33 }, (_, step) => `L${step * 50} ${top(step / 2)}`).join(' ');
    return `<path fill="hsl(${hue} 40% ${42 - depth * 13}%)" d="M0 1200 ${points} L1600 1200Z"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="1200">
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="hsl(${hue} 60% 35%)"/><stop offset="0.6" stop-color="hsl(${(hue + 150) % 360} 85% 70%)"/>
    </linearGradient>
    <rect width="1600" height="1200" fill="url(#sky)"/>
    <circle cx="${400 + ((seed * 290) % 900)}" cy="470" r="110" fill="#fff4c8"/>
    ${ridges.join('')}
  </svg>`;
}

/** Digits drawn as seven segments: a machine without fonts can do it as well. */
function numberPlate(number: number): string {
  const digits = String(number).split('');
  const strokes = digits.map((digit, place) => `<path transform="translate(${24 + place * 56} 20)" d="${segmentsOf(digit)}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${32 + digits.length * 56}" height="100">
    <rect width="100%" height="100%" rx="14" fill="#0009"/>
    <g stroke="#fff" stroke-width="7" stroke-linecap="round">${strokes.join('')}</g>
  </svg>`;
}

const segments: Record<string, string> = { a: 'M0 0h36', b: 'M36 0v30', c: 'M36 30v30', d: 'M0 60h36', e: 'M0 30v30', f: 'M0 0v30', g: 'M0 30h36' };
const lit = ['abcdef', 'bc', 'abged', 'abgcd', 'fgbc', 'afgcd', 'afgedc', 'abc', 'abcdefg', 'abcdfg'];

function segmentsOf(digit: string): string {
  return (lit[Number(digit)] ?? '').split('').map((name) => segments[name]).join('');
}

function pick<T>(values: readonly T[], index: number): T {
  const value = values[index % values.length];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}
