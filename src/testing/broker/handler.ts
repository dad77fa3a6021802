import type { AnyApi, RequestRead, ResponseInit } from '../../core/protocol/api.ts';
import type { SaslSession } from './security/sasl-session.ts';
import type { ClusterState, NodeState } from './state/cluster-state.ts';

/** What a handler knows of the request besides its body. */
export interface RequestContext {
  readonly cluster: ClusterState;
  /** The node that got the request. */
  readonly node: NodeState;
  readonly version: number;
  readonly clientId: string;
  /** As `host:port`. */
  readonly remote: string;
  /** How far the connection has come in proving who it is. */
  readonly sasl: SaslSession;
  /** The error code that a fault rule puts at this place instead of doing the work, 0 for none. */
  injected(topic?: string, partition?: number, group?: string): number;
  /** Calls `run` when the connection closes before the answer is given. */
  onGone(run: () => void): void;
}

/** The request is done and its API says nothing back. */
export const NO_ANSWER = Symbol('no answer');
/** The only way left to tell the client is to close the connection. */
export const HANG_UP = Symbol('hang up');

export type Answer<A> = ResponseInit<A> | typeof NO_ANSWER | typeof HANG_UP;

/** Serves one API. Handlers run one at a time and own the cluster's state while they run. */
export interface Handler<A extends AnyApi> {
  readonly api: A;
  /** The lowest version announced where it is not the lowest served. */
  readonly announcedFrom?: number;
  handle(request: RequestRead<A>, context: RequestContext): Answer<A> | Promise<Answer<A>>;
  /** An answer that says only this error. APIs without it ask `context.injected` for each part of their work. */
  refuse?(request: RequestRead<A>, code: number, version: number): ResponseInit<A>;
}

/** Any handler; a registry cannot know which bodies it hands out. */
export type AnyHandler = Handler<AnyApi>;

/** Lets the handler's parameter types follow from the API's table. */
export function serve<A extends AnyApi>(api: A, rest: Omit<Handler<A>, 'api'>): Handler<A> {
  return { api, ...rest };
}
