import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { fateOf } from './plan.js';

export interface MailLog {
  /** Address → how often a mail for it was accepted. */
  accepted: [address: string, times: number][];
  /** Address → when a mail for it was refused, in ms since the epoch. */
  refused: [address: string, atMs: number[]][];
}

/** A real SMTP server that remembers what it accepted and what it refused. */
export async function startSmtpServer() {
  const accepted = new Map<string, number>();
  const refused = new Map<string, number[]>();

  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onRcptTo({ address }, _session, callback) {
      const tries = refused.get(address) ?? [];
      const refusal = refusalOf(address, tries.length);
      if (!refusal) return callback();
      refused.set(address, [...tries, Date.now()]);
      callback(refusal);
    },
    onData(stream, session, callback) {
      stream.resume();
      stream.once('end', () => {
        for (const { address } of session.envelope.rcptTo) accepted.set(address, (accepted.get(address) ?? 0) + 1);
        callback();
      });
    },
  });
  // A client that is killed in mid-sentence is part of the demo.
  server.on('error', () => {});

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    log: (): MailLog => ({ accepted: [...accepted], refused: [...refused] }),
  };
}

function refusalOf(address: string, triesBefore: number): Error | undefined {
  switch (fateOf(address)) {
    case 'greylisted':
      return triesBefore <= address.length % 2 ? reply(451, '4.7.1 Greylisted, try again later') : undefined;
    case 'mailboxFull':
      return reply(452, '4.2.2 Mailbox full');
    case 'unknownUser':
      return reply(550, '5.1.1 No such user here');
    case 'fine':
      return undefined;
  }
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
