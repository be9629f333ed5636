const assert = require('node:assert/strict');
const { Queue, Worker } = require('drover');

assert.equal(typeof Queue, 'function');
assert.equal(typeof Worker, 'function');
assert.equal(require('drover/package.json').name, 'drover');
