// The way to one broker for one use: a connection while there is one, a queue while it is being dialled.

import type { Clock } from '../clock.ts';
import { TimeoutError } from '../../errors.ts';
import type { CallOptions, Connection, RequestInit } from '../network/connection.ts';
import type { AnyApi, ResponseOf } from '../protocol/api.ts';

/** What a link needs of its broker. */
export interface LinkOwner {
  readonly clock: Clock;
  /** How the broker is named in messages. */
  readonly name: string;
  readonly maxIdleMs: number;
  /** Opens a connection, after the pause the broker's reconnect backoff asks for. */
  dial(): Promise<Connection>;
  /** A connection that was open is gone. */
  lost(): void;
}

interface Waiter {
  go(connection: Connection): void;
  fail(error: unknown): void;
}

/** Requests leave in the order `send` was called, also those that had to wait for the dial. */
export class Link {
  private readonly owner: LinkOwner;
  private readonly waiters = new Set<Waiter>();
  private connection: Connection | undefined;
  private dialling = false;

  constructor(owner: LinkOwner) {
    this.owner = owner;
  }

  /** The connection where it is open and fresh. One that was idle for too long is closed: the broker may be closing it right now. */
  ready(): Connection | undefined {
    const connection = this.connection;
    if (connection === undefined) return undefined;
    const idleMs = this.owner.clock.now() - connection.lastUsedAt;
    if (connection.pending > 0 || idleMs < this.owner.maxIdleMs) return connection;
    this.close('was idle for too long');
    return undefined;
  }

  /** Sends on the connection, dialling first when there is none. */
  send<A extends AnyApi>(api: A, request: RequestInit<A>, options: CallOptions): Promise<ResponseOf<A>> {
    const ready = this.ready();
    if (ready !== undefined) return ready.send(api, request, options);
    const startedAt = this.owner.clock.now();
    return this.whenReady(api.name, options, (connection) => {
      const timeoutMs = options.timeoutMs - (this.owner.clock.now() - startedAt);
      return connection.send(api, request, { ...options, timeoutMs });
    });
  }

  /** The connection, dialled when there is none. */
  connect(what: string, options: CallOptions): Promise<Connection> {
    const ready = this.ready();
    if (ready !== undefined) return Promise.resolve(ready);
    return this.whenReady(what, options, (connection) => Promise.resolve(connection));
  }

  /** Takes over a connection that was opened elsewhere; false when there is one already. */
  adopt(connection: Connection): boolean {
    if (this.connection !== undefined || this.dialling || !connection.isOpen) return false;
    this.keep(connection);
    return true;
  }

  close(reason: string): void {
    const connection = this.connection;
    if (connection === undefined) return;
    this.connection = undefined;
    connection.onClosed = undefined;
    connection.close(reason);
  }

  private whenReady<T>(
    what: string,
    { timeoutMs, signal }: CallOptions,
    use: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const stop = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        this.waiters.delete(waiter);
      };
      const waiter: Waiter = {
        go: (connection) => {
          stop();
          use(connection).then(resolve, reject);
        },
        fail: (error) => {
          stop();
          reject(error);
        },
      };
      const onAbort = (): void => {
        waiter.fail(signal?.reason);
      };
      const timer = this.owner.clock.setTimeout(() => {
        const message = `${what} was not sent: there was no connection to ${this.owner.name} within ${Math.round(timeoutMs)} ms`;
        waiter.fail(new TimeoutError(message, { afterMs: timeoutMs, sent: false, api: what }));
      }, timeoutMs);
      this.waiters.add(waiter);
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.dial();
    });
  }

  private dial(): void {
    if (this.dialling) return;
    this.dialling = true;
    this.owner.dial().then(
      (connection) => {
        this.dialling = false;
        if (connection.isOpen) this.keep(connection);
        for (const waiter of [...this.waiters]) waiter.go(connection);
      },
      (error: unknown) => {
        this.dialling = false;
        for (const waiter of [...this.waiters]) waiter.fail(error);
      },
    );
  }

  private keep(connection: Connection): void {
    this.connection = connection;
    connection.onClosed = () => {
      this.connection = undefined;
      this.owner.lost();
    };
  }
}
