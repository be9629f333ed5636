import { connect, type Socket } from 'node:net';
import { Outlet } from './outlet.js';
import { PendingReplies } from './pending-replies.js';
import { ReplyPath } from './reply-path.js';
import type { ScriptNames } from './request-head.js';
import { RequestPath } from './request-path.js';
import type { Direction, Rules } from './rules.js';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionParts {
  readonly client: Socket;
  readonly target: Target;
  readonly rules: Rules;
  readonly names: ScriptNames;
  /** Forward bytes without looking at them, as TLS needs. */
  readonly blind: boolean;
}

/** One client's connection through the proxy: two sockets, and a path in each direction. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #toServer: Outlet;
  readonly #toClient: Outlet;
  readonly #pending = new PendingReplies();
  readonly #requests: RequestPath;
  readonly #replies: ReplyPath;
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  #severing = false;

  constructor({ client, target, rules, names, blind }: ConnectionParts) {
    this.#client = client;
    this.#server = connect({ ...target, noDelay: true });
    this.#toServer = new Outlet(client, this.#server);
    this.#toClient = new Outlet(this.#server, client);
    const pending = this.#pending;
    this.#requests = new RequestPath({ names, rules, pending, outlet: this.#toServer, connection: this });
    this.#replies = new ReplyPath({ pending, outlet: this.#toClient, connection: this });
    if (blind) {
      this.#requests.walker.goBlind();
      this.#replies.walker.goBlind();
    }
    this.closed = this.#wire();
  }

  /** Closes both sides at once with a reset. */
  cut(): void {
    this.#toServer.discard();
    this.#toClient.discard();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Lets nothing through in a direction while both sockets stay open. */
  silence(direction: Direction): void {
    if (direction !== 'replies') this.#toServer.hold();
    if (direction !== 'requests') this.#toClient.hold();
  }

  get silent(): boolean {
    return this.#toServer.held || this.#toClient.held;
  }

  /** What was held goes on its way, as after a network partition. */
  release(): void {
    this.#toServer.release();
    this.#toClient.release();
  }

  answerPending(): void {
    this.#replies.answerPending();
  }

  severAfterReplies(): void {
    this.#severing = true;
    if (this.#pending.size === 0 && !this.#replies.walker.midFrame) this.sever();
  }

  allAnswered(): void {
    if (this.#severing) this.sever();
  }

  /** Closes both sides after what was sent so far; nothing more passes. */
  sever(): void {
    for (const { walker } of [this.#requests, this.#replies]) {
      walker.flush();
      walker.discard();
    }
    this.#toClient.afterAll(() => this.#client.destroySoon());
    this.#toServer.afterAll(() => this.#server.destroySoon());
  }

  #wire(): Promise<void> {
    this.#client.on('data', (chunk: Buffer) => this.#requests.walker.feed(chunk));
    this.#server.on('data', (chunk: Buffer) => this.#replies.walker.feed(chunk));
    // A failed connection shows as a close on the other side.
    this.#client.on('error', () => undefined);
    this.#server.on('error', () => {
      if (this.#server.connecting) this.#client.resetAndDestroy();
    });
    const clientClosed = closeOf(this.#client);
    const serverClosed = closeOf(this.#server);
    void clientClosed.then(() => this.#clientIsGone());
    void serverClosed.then(() => this.#toClient.afterAll(() => this.#client.destroySoon()));
    return Promise.all([clientClosed, serverClosed]).then(() => undefined);
  }

  #clientIsGone(): void {
    this.#toClient.discard();
    this.#toServer.afterAll(() => {
      this.#server.destroySoon();
      // Replies that nobody can take any more must not keep the server's side from closing.
      this.#server.resume();
    });
  }
}

/** Resolves when a socket is closed. One whose reset fails, because the other side was faster, never says so. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'reset') resolve();
    });
  });
}
