import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from './binary.js';
import { temporaryDirectory } from './guardian.js';

const run = promisify(execFile);

/** A certificate with its key, as files for a server and as text for a client. */
export interface Identity {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly caFile: string;
  readonly ca: string;
  /** Valid for 127.0.0.1 and localhost. */
  readonly server: Identity;
  readonly client: Identity;
}

/** Why no certificates can be made here, or undefined. */
export function certificatesUnavailable(): string | undefined {
  return onPath('openssl') ? undefined : 'openssl is not installed';
}

/** Makes a certificate authority for this call alone, and a server and a client certificate signed by it. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = temporaryDirectory('tls');
  const caFile = join(folder, 'ca.crt');
  const caKey = join(folder, 'ca.key');
  await openssl('req', '-x509', ...newKey(caKey), '-out', caFile, '-days', '2', '-subj', '/CN=drover test authority');
  const authority = { folder, caFile, caKey };
  return {
    caFile,
    ca: await readFile(caFile, 'utf8'),
    server: await issue(authority, 'server', 'subjectAltName=IP:127.0.0.1,DNS:localhost'),
    client: await issue(authority, 'client', 'extendedKeyUsage=clientAuth'),
  };
}

interface Authority {
  folder: string;
  caFile: string;
  caKey: string;
}

async function issue({ folder, caFile, caKey }: Authority, name: string, extension: string): Promise<Identity> {
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  await writeFile(file('ext'), `${extension}\n`);
  await openssl('req', ...newKey(file('key')), '-out', file('csr'), '-subj', `/CN=drover test ${name}`);
  const by = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-extfile', file('ext'), '-days', '2'];
  await openssl('x509', '-req', '-in', file('csr'), '-out', file('crt'), ...by);
  return {
    certFile: file('crt'),
    keyFile: file('key'),
    cert: await readFile(file('crt'), 'utf8'),
    key: await readFile(file('key'), 'utf8'),
  };
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];
}

async function openssl(...args: string[]): Promise<void> {
  await run('openssl', args);
}
