/** The few SVG elements that the charts are made of. */

export function document(width: number, height: number, elements: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...elements,
    '</svg>\n',
  ].join('\n');
}

export function text(x: number, y: number, content: string, style: { size: number; fill: string; anchor?: 'start' | 'middle' | 'end'; bold?: boolean }): string {
  const weight = style.bold ? ' font-weight="600"' : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${style.size}" fill="${style.fill}" text-anchor="${style.anchor ?? 'start'}"${weight}>${escape(content)}</text>`;
}

export function line({ x1, y1, x2, y2, stroke, width }: { x1: number; y1: number; x2: number; y2: number; stroke: string; width: number }): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" stroke-width="${width}"/>`;
}

export function rectangle({ x, y, width, height, fill }: { x: number; y: number; width: number; height: number; fill: string }): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}" rx="1.5"/>`;
}

export function circle(x: number, y: number, radius: number, fill: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${fill}" stroke="#ffffff" stroke-width="1"/>`;
}

export function polyline(points: readonly (readonly [number, number])[], stroke: string): string {
  return `<polyline points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}" fill="none" stroke="${stroke}" stroke-width="2" stroke-linejoin="round"/>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
