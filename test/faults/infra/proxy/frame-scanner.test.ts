import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import { FrameWalker } from './frame-walker.js';
import { FrameScanner, NotRespError } from './frame-scanner.js';

/** One value of each type of RESP2 and RESP3, and some that nest. */
const values = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':42\r\n',
  '$5\r\na\r\nbc\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n$1\r\na\r\n*2\r\n:1\r\n*1\r\n$-1\r\n',
  '_\r\n',
  '#t\r\n',
  ',3.14\r\n',
  '(123456789012345678901\r\n',
  '!7\r\nERR bad\r\n',
  '=5\r\ntxt:a\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n',
  '~2\r\n:1\r\n:2\r\n',
  '>2\r\n$7\r\nmessage\r\n$1\r\na\r\n',
  '|1\r\n+ttl\r\n:3\r\n*1\r\n:9\r\n',
];

describe('FrameScanner', () => {
  it.each(values)('finds the end of %j', (value) => {
    const scanner = new FrameScanner();
    scanner.begin();
    expect(scanner.advance(Buffer.from(`${value}+NEXT\r\n`), 0)).toBe(Buffer.byteLength(value));
    expect(scanner.open).toBe(false);
  });

  it('counts instead of nesting', () => {
    const deep = Buffer.from(`${'*1\r\n'.repeat(100_000)}:1\r\n`);
    const scanner = new FrameScanner();
    scanner.begin();
    expect(scanner.advance(deep, 0)).toBe(deep.length);
    expect(scanner.open).toBe(false);
  });

  it('refuses what is not RESP', () => {
    const scanner = new FrameScanner();
    scanner.begin();
    expect(() => scanner.advance(Buffer.from('HTTP/1.1 200 OK\r\n'), 0)).toThrow(NotRespError);
  });
});

describe('FrameWalker', () => {
  it('finds the same frames and passes the same bytes however the stream is cut', () => {
    const random = new Random(1);
    const stream = Buffer.from(values.join(''));
    for (let run = 0; run < 300; run += 1) {
      const passed: Buffer[] = [];
      const taken: string[] = [];
      let frames = 0;
      const walker = new FrameWalker({
        begin: (data, position) => {
          if (!data.subarray(position).includes('\r\n')) return undefined;
          frames += 1;
          if (frames % 3 !== 0) return {};
          const pieces: Buffer[] = [];
          taken.push('');
          return { take: (bytes) => (pieces.push(bytes), (taken[taken.length - 1] = Buffer.concat(pieces).toString())) };
        },
        end: () => undefined,
        send: (bytes) => passed.push(Buffer.from(bytes)),
      });
      for (let at = 0; at < stream.length; ) {
        const end = Math.min(stream.length, at + random.integer(1, run % 2 === 0 ? 3 : 60));
        walker.feed(Buffer.from(stream.subarray(at, end)));
        at = end;
      }
      expect(frames).toBe(values.length);
      expect(taken).toEqual(values.filter((_, index) => index % 3 === 2));
      expect(Buffer.concat(passed).toString()).toBe(values.filter((_, index) => index % 3 !== 2).join(''));
    }
  });

  it('passes everything unseen once the stream is not RESP', () => {
    const passed: Buffer[] = [];
    const walker = new FrameWalker({ begin: () => ({}), end: () => undefined, send: (bytes) => passed.push(bytes) });
    walker.feed(Buffer.from('+OK\r\nwhat'));
    walker.feed(Buffer.from(' is this\r\n+OK'));
    expect(Buffer.concat(passed).toString()).toBe('+OK\r\nwhat is this\r\n+OK');
  });
});
