import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.js';
import { handlerFile } from '../../src/sandbox/handler-file.js';
import { openSandbox, fixture, run } from './open-sandbox.js';

const jobs = fixture('jobs.mjs');
const path = fileURLToPath(jobs);

const emptyDirectory = (): string => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'drover-handler-')));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
};

describe('a handler file', () => {
  it.each([
    ['a path', path],
    ['a relative path', relative(process.cwd(), path)],
    ['a file URL', jobs],
    ['the text of a file URL', jobs.href],
  ])('is given as %s', (_as, file) => {
    expect(handlerFile(file)).toBe(jobs.href);
  });

  it('may leave out .js', () => {
    expect(handlerFile(fileURLToPath(fixture('commonjs/plain')))).toBe(fixture('commonjs/plain.js').href);
  });

  it('stays what its symbolic link meant at first', () => {
    const directory = emptyDirectory();
    writeFileSync(join(directory, 'real.mjs'), '');
    symlinkSync(join(directory, 'real.mjs'), join(directory, 'current.mjs'));
    expect(handlerFile(join(directory, 'current.mjs'))).toBe(pathToFileURL(join(directory, 'real.mjs')).href);
  });

  it('cannot get another kind by a symbolic link', () => {
    const directory = emptyDirectory();
    symlinkSync(fileURLToPath(fixture('handler.txt')), join(directory, 'handler.mjs'));
    expect(() => handlerFile(join(directory, 'handler.mjs'))).toThrow(InvalidInputError);
  });

  it('cannot be a directory, and is told so', () => {
    const directory = emptyDirectory();
    expect(() => handlerFile(directory)).toThrow(/is no file/);
    expect(() => handlerFile(join(directory, 'nowhere'))).toThrow(/There is no file/);
  });

  it('may have any characters in its path', async () => {
    const odd = join(emptyDirectory(), 'a b#c?d%20é.mjs');
    writeFileSync(odd, 'export default (job) => job.data;');
    expect(await run(openSandbox({}, odd), 'any', 'odd')).toBe('odd');
  });

  it.each([
    ['data:text/javascript,export default () => {}'],
    [new URL('data:text/javascript,export default () => {}')],
    ['http://example.com/handler.mjs'],
    [new URL('https://example.com/handler.mjs')],
    ['node:fs'],
    ['blob:nodedata:1'],
    ['file://elsewhere/handler.mjs'],
    ['file:///tmp/%2Fhandler.mjs'],
    ['/no/such/handler.mjs'],
    ['/no/such/handler'],
    ['handler\0.mjs'],
    [''],
    [fileURLToPath(fixture('.'))],
    [fixture('handler.txt')],
    ['/dev/null'],
  ])('is refused: %s', (file) => {
    expect(() => handlerFile(file)).toThrow(expect.objectContaining({ name: 'InvalidInputError', code: 'INVALID_HANDLER', field: 'processor' }));
  });
});

describe('an option of the sandbox', () => {
  it.each([
    ['maxChildren', 0],
    ['maxChildren', 1.5],
    ['maxJobsPerChild', 0],
    ['killGraceMs', -1],
    ['idleTimeoutMs', NaN],
    ['startTimeoutMs', 2 ** 31],
    ['closeTimeoutMs', '1' as unknown as number],
  ])('%s is refused: %s', (field, value) => {
    const make = (): unknown => openSandbox({ [field]: value });
    expect(make).toThrow(expect.objectContaining({ name: 'InvalidInputError', code: 'INVALID_OPTION', field }));
  });
});
