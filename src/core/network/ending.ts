// Why a connection ended, in words that say what to look at.

import type { ConnectionPhase } from '../../errors.ts';
import {
  AuthenticationError,
  ConnectionError,
  ProtocolError,
  UnsupportedVersionError,
} from '../../errors.ts';
import { tlsFailure } from './tls-failure.ts';
import type { BrokerAddress } from './transport.ts';

/** The end of a connection. */
export interface Ending {
  /** The end of a sentence that begins with the broker's address. */
  readonly what: string;
  readonly phase: ConnectionPhase;
  readonly retriable: boolean;
  readonly cause?: unknown;
}

/** What was known of a connection when its wire was closed. */
export interface LastSeen {
  readonly phase: ConnectionPhase;
  readonly receivedBytes: number;
  /** Of an answer that did not end. */
  readonly pendingBytes: number;
  /** It did SASL, or has answered a request after the first words. */
  readonly isAccepted: boolean;
}

/** The error that callers get. */
export function endingError({ host, port }: BrokerAddress, ending: Ending): ConnectionError {
  const { what, phase, retriable, cause } = ending;
  const message = `${host}:${port} ${what}`;
  const at = { host, port, phase, cause, retriable };
  return phase === 'tls' && !retriable
    ? new AuthenticationError(message, at)
    : new ConnectionError(message, at);
}

/** The peer, or the way to it, closed the wire. */
export function wireClosed(seen: LastSeen, cause: Error | undefined): Ending {
  const { phase, receivedBytes, pendingBytes } = seen;
  const tls = phase === 'io' ? undefined : tlsFailure(cause);
  if (tls !== undefined) return { ...tls, phase: 'tls', cause };
  if (phase === 'dial') {
    const why = reasonOf(cause) ?? 'the connection was closed';
    return { what: `could not be reached: ${why}`, phase, cause, retriable: true };
  }
  const how = reasonOf(cause) ?? 'by the peer';
  const partial = pendingBytes === 0 ? '' : `, ${pendingBytes} bytes into an answer`;
  return {
    what: `closed the connection (${how}) after ${receivedBytes} bytes${partial}${hint(seen)}`,
    phase,
    cause: pendingBytes === 0 ? cause : cutOff(pendingBytes, cause),
    retriable: true,
  };
}

/** Opening took too long. */
export function openingTooSlow({ phase, receivedBytes }: LastSeen, limitMs: number): Ending {
  const got = receivedBytes === 0 ? 'nothing' : `only ${receivedBytes} bytes`;
  const what =
    phase === 'dial'
      ? `could not be reached within ${limitMs} ms`
      : phase === 'auth'
        ? `did not let this client in by SASL within ${limitMs} ms`
        : `accepted the connection and answered ${got} within ${limitMs} ms; is it a plaintext listener of a Kafka broker?`;
  return { what, phase, retriable: true };
}

/** The first words were not understood. */
export function handshakeFailed(phase: ConnectionPhase, error: unknown): Ending {
  // What could not be read says so with the address, as what is read later does.
  const unreadable = error instanceof ProtocolError ? error.cause : undefined;
  if (unreadable instanceof ProtocolError)
    return { what: `broke the protocol: ${unreadable.message}`, phase, cause: error, retriable: false };
  const isHopeless = error instanceof UnsupportedVersionError || error instanceof ProtocolError;
  const what = error instanceof Error ? error.message : String(error);
  return { what, phase, cause: error, retriable: !isHopeless };
}

/** What to look at when the peer closed without a word. */
function hint({ phase, isAccepted }: LastSeen): string {
  if (phase === 'handshake') return ' before it said which versions it speaks; is it a TLS or SASL port?';
  if (phase === 'auth') return ' during SASL';
  if (isAccepted) return '';
  return ' before it answered its first request; is it a SASL listener? Then set `sasl`';
}

/** A frame that does not end: bad luck once, a broken peer when it happens every time. */
function cutOff(bytes: number, cause: Error | undefined): ProtocolError {
  return new ProtocolError(`The connection ended ${bytes} bytes into a frame`, { retriable: true, cause });
}

function reasonOf(cause: Error | undefined): string | undefined {
  if (cause === undefined) return undefined;
  // Every address of the host was tried.
  if (cause instanceof AggregateError && cause.errors.length > 0)
    return cause.errors
      .map((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .join(', ');
  if (cause.message !== '') return cause.message;
  const code: unknown = (cause as { code?: unknown }).code;
  return typeof code === 'string' ? code : cause.name;
}
