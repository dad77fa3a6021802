// Proving to a broker who the client is: SaslHandshake, then tokens in SaslAuthenticate until both sides are content.

import { AuthenticationError, UsageError } from '../../errors.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import { ERRORS, errorCode } from '../protocol/error-codes.ts';
import { saslHandshakeApi } from '../protocol/messages/17-sasl-handshake.ts';
import { saslAuthenticateApi } from '../protocol/messages/36-sasl-authenticate.ts';
import type { SaslExchange, SaslMechanism } from '../security/sasl-exchange.ts';
import type { BrokerAddress } from './transport.ts';

/** Sends one request of the exchange. */
export type AskSasl = <A extends AnyApi>(api: A, request: RequestOf<A>) => Promise<ResponseOf<A>>;

/** No mechanism needs as many. */
const MAX_ROUNDS = 20;

/**
 * Runs one exchange. Nothing is asked before the mechanism has its first token, however long its provider takes. Resolves with the milliseconds
 * after which the broker wants it done again, 0 for never; rejects with AuthenticationError, or with what `ask` rejects with.
 */
export async function authenticate(
  mechanism: SaslMechanism,
  address: BrokerAddress,
  ask: AskSasl,
): Promise<number> {
  const exchange = await byProvider(mechanism, address, async () => mechanism.start({ ...address }));
  let token: Uint8Array | undefined = await byProvider(mechanism, address, async () => exchange.begin());
  await choose(mechanism, address, ask);
  let sessionLifetimeMs = 0;
  for (let round = 0; token !== undefined; round += 1) {
    if (round === MAX_ROUNDS) throw failed(mechanism, address, `it did not end after ${MAX_ROUNDS} tokens`);
    const answer: ResponseOf<typeof saslAuthenticateApi> = await ask(saslAuthenticateApi, {
      authBytes: token,
    });
    if (answer.errorCode !== 0) throw refused(mechanism, address, answer);
    sessionLifetimeMs = answer.sessionLifetimeMs;
    token = await proven(mechanism, address, exchange, answer.authBytes);
  }
  return sessionLifetimeMs;
}

async function choose(mechanism: SaslMechanism, address: BrokerAddress, ask: AskSasl): Promise<void> {
  const { errorCode: code, mechanisms } = await ask(saslHandshakeApi, { mechanism: mechanism.name });
  if (code === 0) return;
  if (code === ERRORS.UNSUPPORTED_SASL_MECHANISM)
    throw failed(mechanism, address, `this listener does not take it, only ${mechanisms.join(', ')}`);
  if (code === ERRORS.ILLEGAL_SASL_STATE)
    throw failed(mechanism, address, 'this listener does no SASL; leave out `sasl`, or use its SASL port');
  const { name, message, retriable } = errorCode(code);
  throw failed(mechanism, address, `${name}: ${message}`, undefined, retriable);
}

/** What goes wrong on the way to a secret is somebody else's trouble, and may be over soon; a secret that cannot be one is not. */
async function byProvider<T>(
  mechanism: SaslMechanism,
  address: BrokerAddress,
  make: () => Promise<T>,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    const isTransient = !(error instanceof UsageError);
    throw failed(mechanism, address, `there are no credentials: ${messageOf(error)}`, error, isTransient);
  }
}

async function proven(
  mechanism: SaslMechanism,
  address: BrokerAddress,
  exchange: SaslExchange,
  token: Buffer,
): Promise<Uint8Array | undefined> {
  try {
    return await exchange.next(token);
  } catch (error) {
    throw failed(mechanism, address, `the broker was not believed: ${messageOf(error)}`, error);
  }
}

function refused(
  mechanism: SaslMechanism,
  address: BrokerAddress,
  answer: ResponseOf<typeof saslAuthenticateApi>,
): AuthenticationError {
  const { name, message, retriable } = errorCode(answer.errorCode);
  const detail = answer.errorMessage ?? '';
  return failed(mechanism, address, `${name}: ${detail === '' ? message : detail}`, undefined, retriable);
}

function failed(
  { name }: SaslMechanism,
  { host, port }: BrokerAddress,
  why: string,
  cause?: unknown,
  retriable = false,
): AuthenticationError {
  return new AuthenticationError(`${host}:${port} SASL ${name} failed: ${why}`, {
    host,
    port,
    phase: 'auth',
    cause,
    retriable,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
