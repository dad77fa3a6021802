// Keeps one connection authenticated for as long as it lives (KIP-368).

import type { Clock, Random } from '../clock.ts';
import type { SaslMechanism } from '../security/sasl-exchange.ts';
import type { AskSasl } from './authenticate.ts';
import { authenticate } from './authenticate.ts';
import type { BrokerAddress } from './transport.ts';

/** As Java's client: at a random moment of this part of the session, so that the connections of a client do not all do it at once. */
const EARLIEST = 0.85;
const LATEST = 0.95;
/** Requests are held back from so long before the end on, or from this part of the session on: one on its way must not meet the end. */
const HOLD_BEFORE_END_MS = 500;
const HOLD_FROM = 0.97;
/** Brokers refuse to do it more often than once a second. */
const MIN_INTERVAL_MS = 1000;

/** What a session needs. */
export interface AuthSessionOptions {
  readonly mechanism: SaslMechanism;
  readonly address: BrokerAddress;
  readonly clock: Clock;
  readonly random: Random;
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
    const { mechanism, address, clock, random } = this.options;
    this.dueAt = Infinity;
    const lifetimeMs = await authenticate(mechanism, address, (api, request) => {
      this.isExchanging = true;
      return ask(api, request);
    });
    this.isExchanging = false;
    this.endsAt = Infinity;
    if (lifetimeMs <= 0) return;
    const now = clock.now();
    const part = EARLIEST + (LATEST - EARLIEST) * random();
    this.dueAt = now + Math.max(MIN_INTERVAL_MS, lifetimeMs * part);
    this.endsAt = now + Math.max(lifetimeMs * HOLD_FROM, lifetimeMs - HOLD_BEFORE_END_MS);
  }
}
