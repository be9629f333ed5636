import { FlowProducer, Queue, Worker } from 'bullmq';
import { openBullmqApi } from './bullmq-api.js';
import { installedVersion } from './installed-version.js';
import type { Peer } from './peer.js';

export const bullmq: Peer = {
  name: 'bullmq',
  features: new Set(['single', 'bulk', 'delay', 'priority', 'flow', 'processes', 'idle']),
  version: () => installedVersion('bullmq'),
  open: (target) => openBullmqApi('bullmq', { Queue, Worker, FlowProducer }, target),
};
