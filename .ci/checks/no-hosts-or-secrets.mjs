// Nothing that is committed names a package registry's host, a path of somebody's machine, or a credential.

import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { filesIn } from '../fingerprint.mjs';
import { capture, root } from '../steps.mjs';

const patterns = [
  ['a package registry', /\b(?:registry|npm|packages|artifactory|nexus|verdaccio|proxy)\.(?:[a-z0-9-]+\.)+(?:org|com|io|net|dev|internal|local)\b/i],
  ['where a package was fetched from', /"resolved"\s*:\s*"[a-z+]+:\/\//],
  ['a path of a machine', /(?<![\w.:/*\])}-])\/(?:root|work|home\/[\w.-]+|Users\/[\w.-]+)\/[\w.-]/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['an access token', /\b(?:npm_[A-Za-z0-9]{36}|gh[pousr]_[A-Za-z0-9]{36,}|AKIA[A-Z0-9]{16})\b/],
  ['a registry token', /_authToken\s*=/],
];
const largestText = 2_000_000;

export async function findings() {
  const found = [];
  for (const file of await committedFiles()) {
    const text = readText(file);
    text.split('\n').forEach((line, index) => {
      for (const [what, pattern] of patterns) if (pattern.test(line)) found.push(`${file}:${index + 1} names ${what}`);
    });
  }
  return found;
}

/** What is committed or would be; all that is there when this is no git checkout. */
async function committedFiles() {
  const { code, output } = await capture('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']).catch(() => ({ code: 1 }));
  if (code === 0) return output.split('\0').filter(Boolean);
  return filesIn('.').filter((file) => !/^\.\/(node_modules|dist|\.git)\//.test(file));
}

function readText(file) {
  try {
    const full = path.join(root, file);
    if (statSync(full).size > largestText) return '';
    const text = readFileSync(full, 'utf8');
    return text.includes('\0') ? '' : text;
  } catch (error) {
    // Deleted, and the deletion not committed yet.
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
