import { stripVTControlCharacters, styleText } from 'node:util';

const coloured = process.stdout.isTTY && !process.env['NO_COLOR'];

export const paint = {
  bold: painter('bold'),
  dim: painter('dim'),
  green: painter('green'),
  red: painter('red'),
  yellow: painter('yellow'),
  cyan: painter('cyan'),
};

function painter(style: Parameters<typeof styleText>[0]) {
  return (text: string): string => (coloured ? styleText(style, text) : text);
}

/** 12345 → '12,345' */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** '1 e-mail', '2 e-mails' */
export function some(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** 7 → '7 ms', 1234 → '1.23 s', 12345 → '12.3 s' */
export function duration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(ms < 9_995 ? 2 : 1)} s`;
}

/** 1234.5 → '1,235/s', 4.96 → '5.0/s' */
export function rate(perSecond: number): string {
  return `${perSecond < 100 ? perSecond.toFixed(1) : count(perSecond)}/s`;
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - visibleWidth(text))) + text;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - visibleWidth(text)));
}

/** `lead` and `text` in lines as wide as the terminal at most; all but the first begin where `text` began. */
export function wrap(lead: string, text: string): string {
  const columns = Math.max(40, process.stdout.columns || Infinity) - 1;
  const indent = ' '.repeat(visibleWidth(lead));
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined) lines.push(lead + word);
    else if (visibleWidth(line) + 1 + visibleWidth(word) <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}

export function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}
