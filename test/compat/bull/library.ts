import type { Library } from '../surface/surface.js';
import { differences } from './differences.js';

const inputs = /(Options|Opts|Settings|RateLimiter|Callback|CallbackFunction|PromiseFunction)$/;

export const bull: Library = {
  package: 'bull',
  version: '4.16.5',
  title: 'Bull',
  imports: 'import type B from \'bull\';\nimport type D from \'drover/bull\';\n',
  // One ioredis for all: two versions of its classes would be held apart by their private members.
  paths: { ioredis: ['./node_modules/ioredis/built/index.d.ts'] },
  isInput: (name) => name !== 'DoneCallback' && inputs.test(name),
  comparedApart: new Set(['Queue.on']),
  differences,
};
