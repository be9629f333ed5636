import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readRequestHead } from './request-head.js';

const resp = (...parts: string[]): Buffer =>
  Buffer.from(`*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`);
const sha = createHash('sha1').update('return 1').digest('hex');
const names = new Map([[sha, 'settle']]);

describe('readRequestHead', () => {
  it.each([
    [resp('GET', 'a'), { command: 'get', argumentCount: 1 }],
    [resp('PING'), { command: 'ping', argumentCount: 0 }],
    [resp('EVALSHA', sha.toUpperCase(), '0'), { command: 'evalsha', script: 'settle', argumentCount: 2 }],
    [resp('evalsha', 'f'.repeat(40), '0'), { command: 'evalsha', script: 'f'.repeat(40), argumentCount: 2 }],
    [resp('EVAL', 'return 1', '0'), { command: 'eval', script: 'settle', argumentCount: 2 }],
    [resp('FCALL', 'take', '0'), { command: 'fcall', script: 'take', argumentCount: 2 }],
    [resp('CLIENT', 'Kill', 'TYPE', 'normal'), { command: 'client', subcommand: 'kill', argumentCount: 3 }],
  ])('knows %s', (bytes, request) => {
    expect(readRequestHead(bytes, 0, names)).toEqual(request);
  });

  it('waits until enough has come to tell', () => {
    const bytes = resp('EVALSHA', sha, '0');
    const enough = bytes.indexOf('0\r\n', bytes.indexOf(sha) + 40) - 4;
    for (let length = 1; length < enough; length += 1) {
      expect(readRequestHead(bytes.subarray(0, length), 0, names)).toBeUndefined();
    }
    expect(readRequestHead(bytes.subarray(0, enough), 0, names)?.script).toBe('settle');
  });

  it('does not wait for the arguments of a plain command', () => {
    expect(readRequestHead(Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\n'), 0, names)?.command).toBe('set');
  });

  it('reads a line without RESP', () => {
    const request = { command: 'config', subcommand: 'get', argumentCount: 2, inlineEnd: 14 };
    expect(readRequestHead(Buffer.from('CONFIG GET a\r\nPING\r\n'), 0, names)).toEqual(request);
  });
});
