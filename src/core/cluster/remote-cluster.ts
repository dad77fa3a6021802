// (signatures first)

import type { Clock, Random } from '../clock.ts';
import type { Transport } from '../network/transport.ts';
import type { ClusterOptions } from '../options.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import type { Cluster, CoordinatorKind, RetryDefaults, SendOptions } from './cluster.ts';
import type { MetadataCache } from './metadata.ts';

/** What the cluster runs on. */
export interface ClusterRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
}

/** The cluster over real connections. */
export declare class RemoteCluster implements Cluster {
  constructor(options: ClusterOptions, runtime: ClusterRuntime);
  readonly clock: Clock;
  readonly random: Random;
  readonly clientId: string;
  readonly closed: boolean;
  readonly requestTimeoutMs: number;
  readonly retry: RetryDefaults;
  readonly metadata: MetadataCache;
  send<A extends AnyApi>(
    nodeId: number,
    api: A,
    request: RequestOf<A> | ((version: number) => RequestOf<A>),
    options?: SendOptions,
  ): Promise<ResponseOf<A>>;
  negotiated(nodeId: number, api: AnyApi): Promise<number>;
  anyNode(): Promise<number>;
  controller(): Promise<number>;
  coordinator(kind: CoordinatorKind, key: string): Promise<number>;
  forgetCoordinator(kind: CoordinatorKind, key: string): void;
  refresh(topics?: readonly string[], signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
