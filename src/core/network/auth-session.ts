// Keeps one connection authenticated for as long as it lives (KIP-368).

import type { Clock, Random } from '../clock.ts';
import type { SaslMechanism } from '../security/sasl-exchange.ts';
import type { AskSasl } from './authenticate.ts';
import { authenticate } from './authenticate.ts';
import type { ConnectionTrace } from './connection-trace.ts';
import type { BrokerAddress } from './transport.ts';

/**
 * As Java's client: in this last part of the session, at a random moment, so that the connections of a client do not all do it at once. And early
 * enough for what was sent before to be read by a broker that is slow: one that reads a request after the end closes the connection.
 */
const SHORTEST_REST = 0.05;
const LONGEST_REST = 0.15;
const LEAST_REST_MS = 500;
/** Requests are held back from so long before the end on. */
const HOLD_BEFORE_END_MS = 250;
/** Brokers refuse to do it more often than once a second. */
const MIN_INTERVAL_MS = 1000;

/** What a session needs. */
export interface AuthSessionOptions {
  readonly mechanism: SaslMechanism;
  readonly address: BrokerAddress;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each exchange that succeeded. */
  readonly trace?: ConnectionTrace | undefined;
}

/** When a connection must prove itself again, and whether it is doing so. */
export class AuthSession {
  /** When it is due, by the clock; Infinity while it is under way, and for a session that does not end. */
  dueAt = Infinity;
  /** From when on the broker would close the connection for any request but SaslHandshake. */
  private endsAt = Infinity;
  /** While the broker takes nothing but tokens: from SaslHandshake to the last of them. It stays so when the exchange fails. */
  private isExchanging = false;
  private readonly options: AuthSessionOptions;

  constructor(options: AuthSessionOptions) {
    this.options = options;
  }

  /** True while requests must wait. */
  holds(now: number): boolean {
    return this.isExchanging || now >= this.endsAt;
  }

  /** Runs an exchange; requests may go on until its first token is ready, or the session is at its end. */
  async run(ask: AskSasl): Promise<void> {
    const { mechanism, address, clock, random, trace } = this.options;
    const startedAt = clock.now();
    this.dueAt = Infinity;
    // The session begins when the broker reads the last token, which is not before it was sent.
    let sentAt = clock.now();
    const lifetimeMs = await authenticate(mechanism, address, (api, request) => {
      this.isExchanging = true;
      sentAt = clock.now();
      return ask(api, request);
    });
    this.isExchanging = false;
    this.endsAt = Infinity;
    trace?.authenticated(mechanism.name, startedAt);
    if (lifetimeMs <= 0) return;
    const rest = SHORTEST_REST + (LONGEST_REST - SHORTEST_REST) * random();
    const restMs = Math.max(lifetimeMs * rest, LEAST_REST_MS * (1 + rest));
    this.dueAt = sentAt + Math.max(MIN_INTERVAL_MS, lifetimeMs - restMs);
    this.endsAt = sentAt + Math.max(lifetimeMs / 2, lifetimeMs - HOLD_BEFORE_END_MS);
  }
}
