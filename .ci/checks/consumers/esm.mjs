import assert from 'node:assert/strict';
import { Queue, Worker } from 'drover';
import manifest from 'drover/package.json' with { type: 'json' };

assert.equal(typeof Queue, 'function');
assert.equal(typeof Worker, 'function');
assert.equal(manifest.name, 'drover');
