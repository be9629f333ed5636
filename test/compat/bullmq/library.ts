import type { Library } from '../surface/surface.js';
import { differences } from './differences.js';

const inputs = new RegExp(`(${[
  'Options', 'Opts', 'Listener', 'Processor', 'Strategy', 'Telemetry', 'Tracer', 'Meter', 'Span', 'ContextManager', 'FlowJob', 'FlowJobNode',
  'FlowRootLeafJob', 'FlowNestedLeafJob', 'FlowParentJob', 'FlowRootParentJob', 'Counter', 'Gauge', 'Histogram',
].join('|')})$`);

export const bullmq: Library = {
  package: 'bullmq',
  version: '6.7.0',
  title: 'BullMQ',
  imports: 'import type * as B from \'bullmq\';\nimport type * as D from \'drover\';\n',
  isInput: (name) => inputs.test(name),
  comparedApart: new Set(['on', 'once', 'off', 'emit', 'opts']),
  differences,
};
