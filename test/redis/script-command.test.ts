import fc from 'fast-check';
import { Command } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { ScriptCommand } from '../../src/redis/script-command.js';
import type { ScriptArg } from '../../src/redis/script.js';

const sha = 'a'.repeat(40);
const socket = {};

const bytesOf = (command: Command): string => Buffer.from(command.toWritable(socket)).toString('latin1');

/** The same call as the client itself writes it. */
const plain = (keys: readonly string[], args: readonly ScriptArg[]): string => bytesOf(new Command('evalsha', [sha, keys.length, ...keys, ...args]));

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 }), fc.constant('é'.repeat(40_000)));
const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ min: -1e15, max: 1e15, noNaN: true }));
const bytes = fc.uint8Array({ maxLength: 70_000, size: 'max' }).map((value) => Buffer.from(value));

describe('a call of a script', () => {
  it('is, byte for byte, what the client would write', () => {
    fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 30 }), fc.array(fc.oneof(text, number, bytes), { maxLength: 12 }), (keys, args) => {
      expect(bytesOf(new ScriptCommand(sha, keys, args))).toBe(plain(keys, args));
      expect(bytesOf(new ScriptCommand(sha, keys, [...args, 1]))).toBe(plain(keys, [...args, 1]));
    }));
  });

  it('stays as it is while others are written', () => {
    const keys = ['{q}:a', '{q}:b'];
    const first = new ScriptCommand(sha, keys, ['one', 1]).toWritable(socket);
    const copy = Buffer.from(first);
    new ScriptCommand(sha, keys, ['x'.repeat(500), Buffer.alloc(100_000)]).toWritable(socket);
    new ScriptCommand(sha, keys, ['two', 2]).toWritable(socket);
    expect(first).toEqual(copy);
  });

  it('can be written again, to another node', () => {
    const command = new ScriptCommand(sha, ['{q}:a'], ['one', 1]);
    expect(bytesOf(command)).toBe(bytesOf(command));
  });

  it('goes to the slot of its keys', () => {
    const keys = ['{q}:a', '{q}:b'];
    expect(new ScriptCommand(sha, keys, []).getSlot()).toBe(new Command('evalsha', [sha, 2, ...keys]).getSlot());
  });

  it('does nothing once it is withdrawn', () => {
    const command = new ScriptCommand(sha, ['{q}:a'], ['one']);
    command.name = 'ping';
    command.args = [];
    expect(bytesOf(command)).toBe('*1\r\n$4\r\nping\r\n');
  });
});
