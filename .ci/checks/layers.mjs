// Imports in src/ run downwards only, without cycles, and name only packages that a user has.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filesIn } from '../fingerprint.mjs';
import { root } from '../steps.mjs';
import { importsOf, target } from './imports.mjs';

// Each folder of src/, and the folders it may import. A file directly in src/ is a folder of its own name.
const mayImport = {
  core: [],
  redis: ['core'],
  telemetry: ['core'],
  metrics: ['core', 'redis'],
  queue: ['core', 'redis', 'telemetry', 'metrics'],

  // Capabilities: none imports another.
  events: ['core', 'redis', 'queue'],
  groups: ['core', 'redis'],
  limits: ['core', 'redis'],
  scheduler: ['core', 'redis', 'queue'],
  flows: ['core', 'redis', 'queue', 'telemetry'],
  sandbox: ['core'],

  worker: ['core', 'redis', 'queue', 'scheduler', 'events', 'sandbox', 'telemetry', 'metrics'],

  index: 'anything',

  // Outermost: on the public API alone.
  compat: ['index'],
  cli: ['index'],
  dashboard: ['index'],
  testing: ['index'],
};

// Packages that only some folders may load. Their types may be named anywhere.
const onlyFrom = { ioredis: ['redis'] };

export function findings() {
  const files = filesIn('src').filter((file) => file.endsWith('.ts'));
  const graph = new Map(files.map((file) => [file, importsOf(file)]));
  const strangers = [...new Set(files.map(folder))].filter((name) => !(name in mayImport));
  return [
    ...strangers.map((name) => `src/${name} has no row in the table of .ci/checks/layers.mjs`),
    ...[...graph].flatMap(([file, imports]) => imports.flatMap((imported) => faults(file, imported))),
    ...cycles(graph),
  ];
}

function faults(file, { specifier, isType, line }) {
  const from = folder(file);
  const allowed = mayImport[from] ?? 'anything';
  const at = `${file}:${line}`;
  const to = target(file, specifier);
  if (!to) return packageFaults(at, from, specifier, isType);
  if (!to.startsWith('src/')) return [`${at} imports ${specifier}, which is outside src/`];
  const layer = folder(to);
  if (layer === from || allowed === 'anything' || allowed.includes(layer)) return [];
  return [`${at} ${from} must not import ${layer} (${specifier}); it may import: ${allowed.join(', ') || 'nothing but itself'}`];
}

function packageFaults(at, from, specifier, isType) {
  if (specifier.startsWith('node:')) return [];
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  if (!(name in dependencies)) return [`${at} imports ${name}, which is not one of the dependencies in package.json`];
  if (!isType && onlyFrom[name] && !onlyFrom[name].includes(from)) return [`${at} only ${onlyFrom[name].join(', ')} may load ${name}`];
  return [];
}

const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

const folder = (file) => file.split('/')[1].replace(/\.ts$/, '');

/** Each cycle of files once, along imports that exist when the code runs. */
function cycles(graph) {
  const found = [];
  const finished = new Set();
  const walk = (file, trail) => {
    const start = trail.indexOf(file);
    if (start >= 0) return void found.push(`cycle: ${[...trail.slice(start), file].join(' -> ')}`);
    if (finished.has(file)) return;
    for (const { specifier, isType } of graph.get(file) ?? []) {
      const to = isType ? undefined : target(file, specifier);
      if (to) walk(to, [...trail, file]);
    }
    finished.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}
