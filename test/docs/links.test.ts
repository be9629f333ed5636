import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pages, readPage, root } from './documents.js';

/** The anchors of a page's headings, as code hosts make them. */
function anchors(page: string): string[] {
  return [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

/** What is wrong with a link, if anything. */
function fault(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return `${link}: there is no ${target}`;
  return anchor !== undefined && !anchors(target).includes(anchor) ? `${link}: ${target} has no such heading` : undefined;
}

describe('links lead somewhere', () => {
  test.each(pages)('%s', (page) => {
    const text = readPage(page).replace(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
    expect(links.map((link) => fault(page, link)).filter(Boolean)).toEqual([]);
  });
});
