// What the workers talk to, in a process of its own as in life: a mail server and an HTTP API.

import { startApiServer, type ApiLog } from './api-server.js';
import { followParent } from './child.js';
import { startSmtpServer, type MailLog } from './smtp-server.js';

export interface Addresses {
  smtp: { host: string; port: number };
  apiUrl: string;
}

export interface OutsideLog {
  mail: MailLog;
  api: ApiLog;
}

followParent();
const smtp = await startSmtpServer();
const api = await startApiServer(Number(process.argv[2]));

process.on('message', () => process.send?.({ mail: smtp.log(), api: api.log() } satisfies OutsideLog));
process.send?.({ smtp: { host: '127.0.0.1', port: smtp.port }, apiUrl: api.url } satisfies Addresses);
