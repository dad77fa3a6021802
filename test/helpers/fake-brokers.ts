// A scripted cluster on the fake transport: brokers that agree on versions and tell each other's addresses; everything else a test scripts.
import type { Clock } from '../../src/core/clock.ts';
import type { AnyApi, RequestRead, ResponseInit } from '../../src/core/protocol/api.ts';
import { metadataApi } from '../../src/core/protocol/messages/03-metadata.ts';
import { apiVersionsApi } from '../../src/core/protocol/messages/18-api-versions.ts';
import { ERRORS } from '../../src/core/protocol/error-codes.ts';
import { ZERO_UUID } from '../../src/core/protocol/schema.ts';
import { apiByKey } from '../../src/core/protocol/apis.ts';
import { bodyOf, FakeTransport, type FakeWire, type SeenRequest } from './fake-wire.ts';

export interface FakePartition {
  leader: number;
  leaderEpoch: number;
}

export interface FakeTopic {
  id: string;
  errorCode: number;
  partitions: FakePartition[];
}

/** Makes the answer to one request; `undefined` keeps silent. */
export type Handler = (request: SeenRequest, nodeId: number, wire: FakeWire) => unknown;

/** A topic id, different for each number. */
export function topicId(n: number): string {
  return Buffer.alloc(16, n).toString('base64url');
}

/** Brokers `kafka-<id>:9092`. */
export class FakeBrokers {
  readonly transport: FakeTransport;
  readonly topics = new Map<string, FakeTopic>();
  readonly nodeIds: number[];
  readonly seen: (SeenRequest & { readonly nodeId: number; readonly wire: FakeWire })[] = [];
  /** Nodes that take connections and answer nothing but the handshake. */
  readonly hung = new Set<number>();
  controllerId: number;
  /** Brokers as metadata names them; default all. */
  advertised: number[];
  /** Highest version announced, by API key; default ours. */
  readonly maxVersions = new Map<number, number>();
  latencyMs = 1;
  private readonly clock: Clock;
  private readonly handlers = new Map<number, Handler>();

  constructor(clock: Clock, nodes = 1) {
    this.clock = clock;
    this.transport = new FakeTransport(clock);
    this.nodeIds = Array.from({ length: nodes }, (_, at) => at + 1);
    this.advertised = [...this.nodeIds];
    this.controllerId = 1;
    for (const nodeId of this.nodeIds) this.start(nodeId);
    this.on(metadataApi, (body) => this.metadata(body));
  }

  get addresses(): string[] {
    return this.nodeIds.map((nodeId) => `kafka-${nodeId}:9092`);
  }

  on<A extends AnyApi>(
    api: A,
    handler: (
      body: RequestRead<A>,
      nodeId: number,
      request: SeenRequest,
      wire: FakeWire,
    ) => ResponseInit<A> | undefined,
  ): void {
    this.handlers.set(api.key, (request, nodeId, wire) =>
      handler(bodyOf(api, request), nodeId, request, wire),
    );
  }

  topic(name: string, leaders: readonly number[], id = topicId(this.topics.size + 1)): FakeTopic {
    const partitions = leaders.map((leader) => ({ leader, leaderEpoch: 0 }));
    const topic = { id, errorCode: 0, partitions };
    this.topics.set(name, topic);
    return topic;
  }

  /** How often an API was asked for. */
  count(api: AnyApi): number {
    return this.seen.filter((request) => request.api.key === api.key).length;
  }

  bodies<A extends AnyApi>(api: A): RequestRead<A>[] {
    return this.seen.filter((request) => request.api.key === api.key).map((request) => bodyOf(api, request));
  }

  /** Refuses new connections and breaks those there are. */
  stop(nodeId: number): void {
    const name = `kafka-${nodeId}`;
    this.transport.peers.delete(`${name}:9092`);
    for (const wire of this.transport.openWires) {
      if (wire.address.host === name) wire.close(new Error('read ECONNRESET'));
    }
  }

  start(nodeId: number): void {
    this.transport.peers.set(`kafka-${nodeId}:9092`, (wire) => {
      wire.onRequest = (request) => {
        this.seen.push({ ...request, nodeId, wire });
        if (this.hung.has(nodeId) && request.api.key !== apiVersionsApi.key) return;
        this.clock.setTimeout(() => {
          const handler = this.handlers.get(request.api.key);
          const body =
            request.api.key === apiVersionsApi.key ? this.versions() : handler?.(request, nodeId, wire);
          if (body !== undefined) wire.respond(request, body as ResponseInit<AnyApi>);
        }, this.latencyMs);
      };
      wire.accept();
    });
  }

  private versions(): ResponseInit<typeof apiVersionsApi> {
    const apiKeys: { apiKey: number; minVersion: number; maxVersion: number }[] = [];
    for (let key = 0; key < 100; key += 1) {
      const api = apiByKey(key);
      if (api === undefined) continue;
      const { minVersion } = api;
      apiKeys.push({ apiKey: key, minVersion, maxVersion: this.maxVersions.get(key) ?? api.maxVersion });
    }
    return { errorCode: 0, apiKeys };
  }

  /** The answer to a Metadata request. */
  metadata({ topics: asked }: RequestRead<typeof metadataApi>): ResponseInit<typeof metadataApi> {
    const names = asked === null ? [...this.topics.keys()] : asked.map(({ name }) => name!);
    return {
      brokers: this.advertised.map((nodeId) => ({ nodeId, host: `kafka-${nodeId}`, port: 9092 })),
      controllerId: this.controllerId,
      topics: names.map((name) => {
        const topic = this.topics.get(name);
        return {
          name,
          topicId: topic?.id ?? ZERO_UUID,
          errorCode: topic?.errorCode ?? ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
          partitions: (topic?.partitions ?? []).map(({ leader, leaderEpoch }, partitionIndex) => ({
            partitionIndex,
            errorCode: leader < 0 ? ERRORS.LEADER_NOT_AVAILABLE : 0,
            leaderId: leader,
            leaderEpoch,
            replicaNodes: [leader],
            isrNodes: [leader],
          })),
        };
      }),
    };
  }
}
