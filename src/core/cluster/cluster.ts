// The cluster as producer, consumer, group and admin see it.

import type { Clock, Random } from '../clock.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import type { MetadataCache } from './metadata.ts';

/**
 * What a connection is for. A broker answers one request at a time per connection, so what may wait long (fetch, join) has its own and never
 * stands before a heartbeat, a commit or a produce.
 */
export type Use = 'control' | 'produce' | 'coordinator' | `join-${number}` | `fetch-${number}`;

/** How one request is sent. */
export interface SendOptions {
  /** From the call to the answer, dialling included; default the client's `requestTimeout`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default 'control'. */
  readonly use?: Use | undefined;
  /** Never send a version above this one. */
  readonly maxVersion?: number | undefined;
  /** The broker leaves the answer out (Produce with acks=0): resolves with undefined once it is written. */
  readonly isUnanswered?: boolean | undefined;
}

/** How topics are asked for. */
export interface RefreshOptions {
  /** False: asking must not create a topic, whatever the client allows. */
  readonly allowAutoTopicCreation?: boolean | undefined;
}

/** Which coordinator: of a consumer group, or of a transactional id. */
export type CoordinatorKind = 'group' | 'transaction';

/** Defaults of every retried call on this cluster. */
export interface RetryDefaults {
  /** The hard deadline of a call that names none. */
  readonly deadlineMs: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Most repetitions after the first attempt; Infinity leaves it to the deadline. */
  readonly retries: number;
}

/** Routes requests to brokers. Connects at first use; several users share it. */
export interface Cluster {
  readonly clock: Clock;
  readonly random: Random;
  readonly clientId: string;
  readonly closed: boolean;
  /** Aborts at `close()`; ends what waits between two requests. */
  readonly closing: AbortSignal;
  readonly requestTimeoutMs: number;
  readonly retry: RetryDefaults;
  readonly metadata: MetadataCache;

  /**
   * One attempt on one connection. Rejects with ConnectionError, TimeoutError (its `sent` says whether a byte may have reached the broker),
   * ProtocolError or UnsupportedVersionError, with the signal's reason, or with UsageError after `close()`. A ConnectionError whose phase is
   * not 'io' means that the request was not sent. Error codes in the body are the caller's business.
   */
  send<A extends AnyApi>(
    nodeId: number,
    api: A,
    request: RequestOf<A> | ((version: number) => RequestOf<A>),
    options?: SendOptions,
  ): Promise<ResponseOf<A>>;
  /** The version that `send` would use for this API on that broker; connects when it must. */
  negotiated(nodeId: number, api: AnyApi): Promise<number>;

  /** The brokers that are alive, as of the last refresh; empty before the first. */
  nodeIds(): readonly number[];
  /** A broker to ask what any broker can answer: one with an open connection where there is one. */
  anyNode(): Promise<number>;
  controller(): Promise<number>;
  /** The broker that coordinates `key`; looked up once, retried while the coordinator is being elected, kept until forgotten. */
  coordinator(kind: CoordinatorKind, key: string): Promise<number>;
  /** To be called on NOT_COORDINATOR and when its broker cannot be reached. */
  forgetCoordinator(kind: CoordinatorKind, key: string): void;

  /**
   * Asks for these topics and from now on keeps them fresh; without names, asks for all topics of the cluster. Concurrent calls share requests.
   * Topics the cluster answers with an error are in the cache with that `errorCode`; the promise rejects only when no broker could be asked.
   * A topic that was never seen may be created by asking for it, where both the client's `allowAutoTopicCreation` and the brokers allow it.
   */
  refresh(topics?: readonly string[], signal?: AbortSignal, options?: RefreshOptions): Promise<void>;
  /** To be called when these topics were created or deleted: what is known of them is of their predecessors. */
  forgetTopics(names: Iterable<string>): void;
  /** Rejects all that is in flight with ConnectionError and closes every connection. */
  close(): Promise<void>;
}
