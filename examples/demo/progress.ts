import { count, paint } from './format.js';

export interface Bar {
  label: string;
  done: number;
  total: number;
  note: string;
}

const redrawMs = 100;
const sparseMs = 2_000;
const barWidth = 24;

/** Bars redrawn in place on a terminal; now and then a plain line everywhere else. */
export class Progress {
  readonly #bars: readonly Bar[];
  readonly #startedAt = Date.now();
  readonly #inPlace = process.stdout.isTTY;
  readonly #timer: NodeJS.Timeout;
  readonly #consoleError = console.error;
  #linesDrawn = 0;
  #stopped = false;

  constructor(bars: readonly Bar[]) {
    this.#bars = bars;
    // Complaints of workers appear above the bars and not in the middle of them.
    console.error = (...words: unknown[]) => this.say(paint.red(words.map(String).join(' ')));
    if (this.#inPlace) process.stdout.write('\x1b[?25l');
    this.#timer = setInterval(() => this.#draw(), this.#inPlace ? redrawMs : sparseMs);
    if (this.#inPlace) this.#draw();
  }

  /** A line that stays, above the bars. */
  say(line: string): void {
    process.stdout.write(`${this.#eraseBars()}${line}\n`);
    if (this.#inPlace) this.#draw();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    console.error = this.#consoleError;
    this.#draw();
    if (this.#inPlace) process.stdout.write('\x1b[?25h');
  }

  #draw(): void {
    process.stdout.write(this.#inPlace ? this.#eraseBars() + this.#drawBars() : `${this.#oneLine()}\n`);
  }

  #eraseBars(): string {
    if (this.#linesDrawn === 0) return '';
    const erase = `\r\x1b[${this.#linesDrawn}A\x1b[0J`;
    this.#linesDrawn = 0;
    return erase;
  }

  #drawBars(): string {
    const labelWidth = Math.max(...this.#bars.map(({ label }) => label.length));
    const countWidth = Math.max(...this.#bars.map(({ total }) => count(total).length));
    this.#linesDrawn = this.#bars.length;
    return this.#bars.map((bar) => `${drawBar(bar, labelWidth, countWidth)}\n`).join('');
  }

  #oneLine(): string {
    const elapsed = `${((Date.now() - this.#startedAt) / 1_000).toFixed(1)} s`;
    return `  ${elapsed.padStart(6)}  ${this.#bars.map(({ label, done, total }) => `${label} ${count(done)}/${count(total)}`).join(' · ')}`;
  }
}

function drawBar({ label, done, total, note }: Bar, labelWidth: number, countWidth: number): string {
  const counts = `${count(done).padStart(countWidth)} / ${count(total).padEnd(countWidth)}`;
  // A line that wraps could not be erased again: in a narrow terminal the bar shrinks and the note is cut.
  const room = (process.stdout.columns || 120) - labelWidth - counts.length - 9;
  const width = Math.max(4, Math.min(barWidth, room - 10));
  const filled = Math.floor((width * Math.min(done, total)) / Math.max(total, 1));
  const colour = done >= total ? paint.green : paint.cyan;
  const bar = colour('█'.repeat(filled)) + paint.dim('░'.repeat(width - filled));
  return `  ${label.padEnd(labelWidth)}  ${bar}  ${counts}  ${paint.dim(note.slice(0, Math.max(0, room - width)))}`;
}
