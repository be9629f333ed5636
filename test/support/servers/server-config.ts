import { randomBytes } from 'node:crypto';
import { isAtLeast, type ServerBinary } from './binary.js';
import type { Certificates } from './certificates.js';

/** Lines of a server's configuration file by directive; a list gives one line each. */
export type Directives = Readonly<Record<string, string | number | readonly string[]>>;

/** How the server keeps an append-only file: not at all, or by its `appendfsync` setting. */
export type AppendOnly = 'no' | 'everysec' | 'always' | 'os';

/** The user by which the harness itself, replicas and sentinels log in, whatever else a test configures. */
export const controlUser = { username: 'drover-control', password: randomBytes(12).toString('hex') } as const;

export interface ConfigInput {
  readonly binary: ServerBinary;
  readonly folder: string;
  readonly port: number;
  readonly appendonly: AppendOnly;
  readonly password?: string | undefined;
  readonly users?: readonly string[] | undefined;
  readonly certificates?: Certificates | undefined;
  readonly config?: Directives | undefined;
}

/** The configuration file of a data server: quiet on disk unless asked, and free of growing delays. */
export function serverConfig(input: ConfigInput): string {
  return render({
    bind: '127.0.0.1',
    ...listening(input),
    dir: input.folder,
    save: '',
    ...persistence(input.appendonly),
    'auto-aof-rewrite-percentage': 0,
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': 0,
    ...(isAtLeast(input.binary, 7) ? { 'enable-debug-command': 'local' } : {}),
    ...access(input),
    ...input.config,
  });
}

/** Writes directives as lines; an empty value becomes `""`. */
export function render(directives: Directives): string {
  const lines = Object.entries(directives).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: string | number) => `${name} ${one === '' ? '""' : one}`),
  );
  return `${lines.join('\n')}\n`;
}

function listening({ port, certificates }: ConfigInput): Directives {
  if (!certificates) return { port };
  return {
    port: 0,
    'tls-port': port,
    'tls-ca-cert-file': certificates.caFile,
    'tls-cert-file': certificates.server.certFile,
    'tls-key-file': certificates.server.keyFile,
    'tls-auth-clients': 'optional',
  };
}

function persistence(appendonly: AppendOnly): Directives {
  if (appendonly === 'no') return { appendonly: 'no' };
  return { appendonly: 'yes', appendfsync: appendonly === 'os' ? 'no' : appendonly };
}

function access({ password, users = [] }: ConfigInput): Directives {
  const control = `${controlUser.username} on >${controlUser.password} ~* &* +@all`;
  return {
    user: [control, ...users],
    masteruser: controlUser.username,
    masterauth: controlUser.password,
    ...(password === undefined ? {} : { requirepass: password }),
  };
}
