// What is told of connections and requests.

import type { KafkaError } from '../../errors.ts';

/** Which connection an event is about. */
export interface ConnectionPlace {
  readonly clientId: string;
  /** Counts the connections of this process; all events of one have the same. */
  readonly connectionId: number;
  /** -1 while it is one to a seed whose node is not known. */
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/**
 * - `opened`: the broker has said which versions it speaks, and has let the client in.
 * - `authenticated`: SASL is done, at the opening or again (KIP-368).
 * - `failed`: it never opened.
 * - `closed`: it was open; `error` says why it is not any more, the client's own `close()` included.
 */
export type ConnectionEvent = ConnectionPlace &
  (
    | { readonly kind: 'opened'; readonly durationMs: number }
    | {
        readonly kind: 'authenticated';
        readonly mechanism: string;
        readonly isAgain: boolean;
        readonly durationMs: number;
      }
    | { readonly kind: 'failed'; readonly durationMs: number; readonly error: KafkaError }
    | { readonly kind: 'closed'; readonly openMs: number; readonly error: KafkaError }
  );

/** One request on its connection. Sizes include the length field in front. */
export interface RequestPlace extends ConnectionPlace {
  /** Kafka's name: 'Produce', 'Fetch', ... */
  readonly api: string;
  readonly apiKey: number;
  readonly version: number;
  readonly requestBytes: number;
}

/**
 * - `sent`: it was given to the socket.
 * - `answered`: with what is in the body, errors included; a request that has no answer (acks=0) when it was taken by the socket.
 * - `failed`: no answer, or none that can be read.
 * - `abandoned`: whoever asked does not wait any more.
 */
export type RequestEvent = RequestPlace &
  (
    | { readonly kind: 'sent' }
    | {
        readonly kind: 'answered';
        readonly responseBytes: number;
        readonly durationMs: number;
        readonly throttleTimeMs: number;
      }
    | { readonly kind: 'failed'; readonly durationMs: number; readonly error: unknown }
    | { readonly kind: 'abandoned'; readonly durationMs: number }
  );

/** A round of asking for metadata. */
export type MetadataEvent = {
  readonly clientId: string;
  /** How many topics were asked for; undefined for all. */
  readonly topics: number | undefined;
  readonly durationMs: number;
} & ({ readonly kind: 'refreshed' } | { readonly kind: 'failed'; readonly error: unknown });
