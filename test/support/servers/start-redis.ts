import { serverBinary, type ServerBinary } from './binary.js';
import { makeCertificates, type Certificates } from './certificates.js';
import { freePort } from './free-port.js';
import { RedisServer, ServerDidNotStart } from './redis-server.js';
import { serverConfig, type AppendOnly, type Directives } from './server-config.js';

export interface StartRedisOptions {
  /** Names the directory and the log. Default `redis`. */
  name?: string;
  /** Append-only file: `everysec`, `always`, `os` (left to the kernel) or `no`. Default `no`. */
  appendonly?: AppendOnly;
  /** Password of the default user. Default: none. */
  password?: string;
  /** ACL lines as in a configuration file, e.g. `worker on >pw ~q:* +@all`. */
  users?: readonly string[];
  /** Listen with TLS only: `true` makes certificates for this server. Default `false`. */
  tls?: boolean | Certificates;
  /** Further directives; they win over the defaults. */
  config?: Directives;
  /** Environment added for the server, e.g. that of a stepped clock. */
  env?: Readonly<Record<string, string>>;
  /** Default: `serverBinary()`. */
  binary?: ServerBinary;
}

/** Starts a server on a free loopback port and waits until it serves. */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const { name = 'redis', appendonly = 'no', password, users, config, env, binary = serverBinary() } = options;
  const certificates = options.tls === true ? await makeCertificates() : options.tls || undefined;
  return startOnFreePort((port) => {
    const content = (folder: string): string =>
      serverConfig({ binary, folder, port, appendonly, password, users, certificates, config });
    return new RedisServer({ name, port, binary, mode: 'server', certificates, password, env, config: content });
  });
}

/** Starts what `build` makes for a free port; takes another port if someone else was faster. */
export async function startOnFreePort(build: (port: number) => RedisServer): Promise<RedisServer> {
  for (let tries = 1; ; tries += 1) {
    const server = build(await freePort());
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      const another = error instanceof ServerDidNotStart && error.addressInUse && tries < 5;
      if (!another) throw error;
    }
  }
}
