// A cluster of brokers as functions: logs of real batches, one request at a time per connection, long polls, on a virtual clock.
import { KafkaError, UsageError } from '../../../src/errors.ts';
import type { Cluster, SendOptions } from '../../../src/core/cluster/cluster.ts';
import type { LeaderHint, MetadataCache, TopicMetadata } from '../../../src/core/cluster/metadata.ts';
import type { AnyApi, RequestOf, ResponseInit, ResponseOf } from '../../../src/core/protocol/api.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { listOffsetsApi } from '../../../src/core/protocol/messages/02-list-offsets.ts';
import { offsetForLeaderEpochApi } from '../../../src/core/protocol/messages/23-offset-for-leader-epoch.ts';
import { offsetFetchApi } from '../../../src/core/protocol/messages/09-offset-fetch.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import { Writer } from '../../../src/core/protocol/writer.ts';
import { readInt64 } from '../../../src/core/records/int64.ts';
import { BusyClock } from './harness.ts';

type FetchRequest = RequestOf<typeof fetchApi>;
type FetchResponse = ResponseInit<typeof fetchApi>;
type FetchPartition = FetchRequest['topics'][number]['partitions'][number];
type FetchAnswer = FetchResponse['responses'][number]['partitions'][number];

export class FakePartition {
  readonly index: number;
  leader: number;
  leaderEpoch = 0;
  batches: Buffer[] = [];
  logStart = 0;
  end = 0;
  lastStable: number | undefined;
  /** Serves fetches too, and is named to who has a rack; -1 for none. */
  follower = -1;
  /** How far it is; undefined for as far as the leader. */
  followerEnd: number | undefined;
  /** Ends of earlier leader epochs, for OffsetForLeaderEpoch. */
  readonly epochEnds = new Map<number, number>();
  aborted: { producerId: number; firstOffset: number }[] = [];
  constructor(index: number, leader: number) {
    this.index = index;
    this.leader = leader;
  }
}

export interface FakeTopic {
  readonly name: string;
  id: string;
  readonly partitions: FakePartition[];
}

export interface SeenFetch {
  readonly atMs: number;
  readonly nodeId: number;
  readonly use: string;
  readonly version: number;
  readonly request: FetchRequest;
  /** 'topic-partition' of each partition asked for, those that the session remembers included. */
  readonly asked: string[];
}

interface FakeSession {
  epoch: number;
  /** Told high watermarks by 'topic-partition'. */
  readonly rows: Map<
    string,
    { readonly topic: string; readonly topicId: string; readonly ask: FetchPartition; told: number }
  >;
}

const SESSION_ERRORS = [ERRORS.FETCH_SESSION_ID_NOT_FOUND, ERRORS.INVALID_FETCH_SESSION_EPOCH] as const;

const LATENCY_MS = 0.5;

export class FakeCluster implements Cluster {
  readonly clock = new BusyClock();
  readonly random = (): number => 0.5;
  readonly clientId = 'test';
  closed = false;
  readonly closing = new AbortController().signal;
  readonly requestTimeoutMs = 30_000;
  readonly retry = { deadlineMs: 30_000, minDelayMs: 100, maxDelayMs: 1000, retries: Infinity };
  readonly topics = new Map<string, FakeTopic>();
  readonly fetches: SeenFetch[] = [];
  readonly dead = new Set<number>();
  refreshes = 0;
  fetchVersion = 17;
  /** Fetch sessions by node and id; `keepsSessions` = false is a broker whose cache is full. */
  readonly sessions = new Map<string, FakeSession>();
  keepsSessions = true;
  /** Topics that the client may not see. */
  readonly forbidden = new Set<string>();
  /** Commits by group and 'topic-partition'. */
  readonly commits = new Map<
    string,
    Map<string, { offset: number; leaderEpoch: number; metadata: string }>
  >();
  /** Changes an answer before it leaves. */
  tamper: (response: FetchResponse, nodeId: number) => FetchResponse | KafkaError = (response) => response;
  private view = new Map<string, TopicMetadata>();
  private readonly listeners = new Set<() => void>();
  private readonly connections = new Map<string, Promise<unknown>>();
  private readonly pollers = new Set<() => void>();
  private ids = 0;

  topic(name: string, leaders: readonly number[]): FakeTopic {
    this.ids += 1;
    const id = Buffer.alloc(16, this.ids).toString('base64url');
    const topic = { name, id, partitions: leaders.map((leader, index) => new FakePartition(index, leader)) };
    this.topics.set(name, topic);
    return topic;
  }

  /** Appends batches, already stamped with their offsets. */
  append(topic: string, partition: number, ...batches: readonly Buffer[]): void {
    const log = this.topics.get(topic)!.partitions[partition]!;
    for (const one of batches) {
      log.batches.push(one);
      log.end = lastOffset(one) + 1;
    }
    this.changed();
  }

  /** Brokers look at their long polls again. */
  changed(): void {
    for (const poll of [...this.pollers]) poll();
  }

  moveLeader(topic: string, partition: number, nodeId: number): void {
    const log = this.topics.get(topic)!.partitions[partition]!;
    log.leader = nodeId;
    log.leaderEpoch += 1;
    this.changed();
  }

  readonly metadata: MetadataCache = {
    topic: (name) => this.view.get(name),
    topicById: (id) => [...this.view.values()].find((topic) => topic.id === id),
    topics: () => this.view.values(),
    leader: (topic, partition) => this.view.get(topic)?.partitions[partition]?.leader,
    onChange: (listener) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
    rack: () => undefined,
    updateLeader: (topic, partition, leader) => this.hint(topic, partition, leader),
  };

  async refresh(topics?: readonly string[]): Promise<void> {
    this.refreshes += 1;
    await this.sleep(LATENCY_MS);
    for (const name of topics ?? this.topics.keys()) {
      const topic = this.topics.get(name);
      this.view.set(
        name,
        topic === undefined
          ? {
              name,
              id: '',
              errorCode: this.forbidden.has(name)
                ? ERRORS.TOPIC_AUTHORIZATION_FAILED
                : ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
              isInternal: false,
              partitions: [],
            }
          : {
              name,
              id: topic.id,
              errorCode: 0,
              isInternal: false,
              partitions: topic.partitions.map(({ index, leader, leaderEpoch }) => ({
                index,
                errorCode: 0,
                leader: leader < 0 ? undefined : { nodeId: leader, leaderEpoch },
                leaderEpoch,
                replicas: [],
                isr: [],
              })),
            },
      );
    }
    await this.sleep(LATENCY_MS);
    for (const listener of [...this.listeners]) listener();
  }

  async send<A extends AnyApi>(
    nodeId: number,
    api: A,
    request: RequestOf<A> | ((version: number) => RequestOf<A>),
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    if (this.closed) throw new UsageError('closed');
    const version = Math.min(
      api.key === fetchApi.key ? this.fetchVersion : api.maxVersion,
      options.maxVersion ?? Infinity,
    );
    const body: unknown =
      typeof request === 'function' ? (request as (v: number) => unknown)(version) : request;
    const use = options.use ?? 'control';
    const key = `${nodeId}/${use}`;
    const turn = (this.connections.get(key) ?? Promise.resolve()).then(async () => {
      await this.sleep(LATENCY_MS);
      const decoded = recode(api.request, body, version);
      const answer = await this.answer(nodeId, api, decoded, version, use);
      await this.sleep(LATENCY_MS);
      if (answer instanceof KafkaError) throw answer;
      return recode(api.response, answer, version);
    });
    this.connections.set(
      key,
      turn.catch(() => {}),
    );
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(options.signal?.reason);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      const stop = (): void => options.signal?.removeEventListener('abort', onAbort);
      turn.then(resolve as (value: unknown) => void, reject).finally(stop);
    });
  }

  negotiated(): Promise<number> {
    return Promise.resolve(this.fetchVersion);
  }
  nodeIds(): readonly number[] {
    return [1, 2, 3];
  }
  anyNode(): Promise<number> {
    return Promise.resolve(1);
  }
  controller(): Promise<number> {
    return Promise.resolve(1);
  }
  coordinator(): Promise<number> {
    return Promise.resolve(1);
  }
  forgetCoordinator(): void {}
  forgetTopics(): void {}
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  private hint(name: string, partition: number, leader: LeaderHint): void {
    const topic = this.view.get(name)!;
    const partitions = topic.partitions.map((one) =>
      one.index === partition && leader.leaderEpoch > (one.leader?.leaderEpoch ?? -1)
        ? { ...one, leader: leader }
        : one,
    );
    this.view.set(name, { ...topic, partitions });
    for (const listener of [...this.listeners]) listener();
  }

  private async answer(
    nodeId: number,
    api: AnyApi,
    request: unknown,
    version: number,
    use: string,
  ): Promise<unknown> {
    if (this.dead.has(nodeId)) {
      const { ConnectionError } = await import('../../../src/errors.ts');
      return new ConnectionError(`node ${nodeId} is down`, { host: 'test', port: nodeId, phase: 'dial' });
    }
    if (api.key === fetchApi.key) {
      const fetch = request as FetchRequest;
      const scope = this.scope(nodeId, fetch, version);
      const asked =
        typeof scope === 'number'
          ? []
          : scope.topics.flatMap((topic) =>
              topic.partitions.map(
                ({ partition }) => `${this.find(topic, version)?.name ?? '?'}-${partition}`,
              ),
            );
      this.fetches.push({ atMs: this.clock.now(), nodeId, use, version, request: fetch, asked });
      if (typeof scope === 'number') return this.tamper({ errorCode: scope, responses: [] }, nodeId);
      const response = await this.fetch(nodeId, { ...fetch, topics: scope.topics }, version);
      return this.tamper(this.told(nodeId, fetch, scope.session, response, version), nodeId);
    }
    if (api.key === offsetForLeaderEpochApi.key) {
      const { topics } = request as RequestOf<typeof offsetForLeaderEpochApi>;
      return {
        topics: topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition, leaderEpoch }) => {
            const endOffset = this.topics.get(topic)!.partitions[partition]!.epochEnds.get(leaderEpoch) ?? -1;
            return { errorCode: 0, partition, leaderEpoch: endOffset < 0 ? -1 : leaderEpoch, endOffset };
          }),
        })),
      };
    }
    if (api.key === listOffsetsApi.key)
      return this.listOffsets(nodeId, request as RequestOf<typeof listOffsetsApi>);
    if (api.key === offsetFetchApi.key) return this.offsetFetch(request as RequestOf<typeof offsetFetchApi>);
    throw new Error(`the fake cluster knows nothing of ${api.name}`);
  }

  /** What a request means: the partitions it names, and those that its session remembers; or an error code. */
  private scope(
    nodeId: number,
    request: FetchRequest,
    version: number,
  ): { topics: FetchRequest['topics']; session?: FakeSession & { id: number } } | number {
    const { sessionId = 0, sessionEpoch = -1 } = request;
    const key = `${nodeId}/${sessionId}`;
    if (sessionEpoch <= 0) {
      this.sessions.delete(key);
      if (sessionEpoch < 0 || version < 7 || !this.keepsSessions) return { topics: request.topics };
      this.ids += 1;
      const session = { id: this.ids, epoch: 1, rows: new Map() };
      this.sessions.set(`${nodeId}/${session.id}`, session);
      this.remember(session, request);
      return { topics: request.topics, session };
    }
    const session = this.sessions.get(key);
    if (session === undefined) return SESSION_ERRORS[0];
    if (session.epoch !== sessionEpoch) return SESSION_ERRORS[1];
    session.epoch += 1;
    this.remember(session, request);
    for (const { topic = '', topicId = '', partitions } of request.forgottenTopicsData ?? [])
      for (const partition of partitions) session.rows.delete(`${topic}${topicId}/${partition}`);
    const topics = [...session.rows.values()].map(({ topic, topicId, ask }) => ({
      topic,
      topicId,
      partitions: [ask],
    }));
    return { topics, session: Object.assign(session, { id: sessionId }) };
  }

  private remember(session: FakeSession, request: FetchRequest): void {
    for (const { topic = '', topicId = '', partitions } of request.topics)
      for (const ask of partitions) {
        const key = `${topic}${topicId}/${ask.partition}`;
        session.rows.set(key, { topic, topicId, ask, told: session.rows.get(key)?.told ?? -1 });
      }
  }

  /** In a session, only what is news. */
  private told(
    nodeId: number,
    request: FetchRequest,
    session: (FakeSession & { id: number }) | undefined,
    response: FetchResponse,
    version: number,
  ): FetchResponse {
    if (session === undefined || !this.sessions.has(`${nodeId}/${session.id}`)) return response;
    const isFull = request.sessionEpoch === 0;
    const responses = response.responses.map((topic) => ({
      ...topic,
      partitions: topic.partitions.filter((one) => {
        const key = version < 13 ? (topic.topic ?? '') : (topic.topicId ?? '');
        const row = [...session.rows.entries()].find(
          ([name]) => name.includes(key) && name.endsWith(`/${one.partitionIndex}`),
        )?.[1];
        const isNews =
          one.errorCode !== 0 ||
          (one.preferredReadReplica ?? -1) >= 0 ||
          (one.records?.length ?? 0) > 0 ||
          one.highWatermark !== row?.told;
        if (row !== undefined) row.told = one.errorCode === 0 ? one.highWatermark : -1;
        return isFull || isNews;
      }),
    }));
    return {
      ...response,
      sessionId: session.id,
      responses: responses.filter((one) => one.partitions.length > 0),
    };
  }

  private find(
    asked: { topic?: string | undefined; topicId?: string | undefined },
    version: number,
  ): FakeTopic | undefined {
    if (version < 13) return this.topics.get(asked.topic ?? '');
    return [...this.topics.values()].find(({ id }) => id === asked.topicId);
  }

  private async fetch(nodeId: number, request: FetchRequest, version: number): Promise<FetchResponse> {
    const deadline = this.clock.now() + request.maxWaitMs;
    for (;;) {
      const { response, ready } = this.tryFetch(nodeId, request, version);
      const leftMs = deadline - this.clock.now();
      if (ready || leftMs <= 0) return response;
      await new Promise<void>((resolve) => {
        const poll = (): void => {
          timer.cancel();
          this.pollers.delete(poll);
          resolve();
        };
        const timer = this.clock.setTimeout(poll, leftMs);
        this.pollers.add(poll);
      });
    }
  }

  private tryFetch(
    nodeId: number,
    request: FetchRequest,
    version: number,
  ): { response: FetchResponse; ready: boolean } {
    let bytesLeft = request.maxBytes ?? 0x7fffffff;
    let bytes = 0;
    let failed = false;
    const responses = request.topics.map((asked) => ({
      topic: asked.topic,
      topicId: asked.topicId,
      partitions: asked.partitions.map((partition) => {
        const answer = this.readPartition(
          nodeId,
          this.find(asked, version),
          partition,
          version,
          bytesLeft,
          bytes === 0,
          request.isolationLevel === 1,
          request.rackId ?? '',
        );
        const length = answer.records?.length ?? 0;
        bytes += length;
        bytesLeft -= length;
        if (answer.errorCode !== 0 || (answer.preferredReadReplica ?? -1) >= 0) failed = true;
        return answer;
      }),
    }));
    return {
      response: { errorCode: 0, responses },
      ready: failed || bytes >= request.minBytes,
    };
  }

  private readPartition(
    nodeId: number,
    topic: FakeTopic | undefined,
    asked: FetchPartition,
    version: number,
    bytesLeft: number,
    first: boolean,
    committed: boolean,
    rackId: string,
  ): FetchAnswer {
    const none = {
      partitionIndex: asked.partition,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      abortedTransactions: null,
      records: Buffer.alloc(0),
    };
    const log = topic?.partitions[asked.partition];
    if (log === undefined)
      return {
        ...none,
        errorCode: version >= 13 ? ERRORS.UNKNOWN_TOPIC_ID : ERRORS.UNKNOWN_TOPIC_OR_PARTITION,
      };
    const epoch = asked.currentLeaderEpoch ?? -1;
    const follows = log.follower === nodeId;
    if (log.leader !== nodeId && !follows)
      return {
        ...none,
        errorCode: ERRORS.NOT_LEADER_OR_FOLLOWER,
        ...(version >= 16 &&
          log.leader >= 0 && { currentLeader: { leaderId: log.leader, leaderEpoch: log.leaderEpoch } }),
      };
    if (epoch >= 0 && epoch < log.leaderEpoch) return { ...none, errorCode: ERRORS.FENCED_LEADER_EPOCH };
    if (epoch > log.leaderEpoch) return { ...none, errorCode: ERRORS.UNKNOWN_LEADER_EPOCH };
    const end = follows ? (log.followerEnd ?? log.end) : log.end;
    if (asked.fetchOffset < log.logStart || asked.fetchOffset > end)
      return { ...none, errorCode: ERRORS.OFFSET_OUT_OF_RANGE };
    if (!follows && log.follower >= 0 && rackId !== '' && asked.fetchOffset <= (log.followerEnd ?? end))
      return { ...none, errorCode: 0, highWatermark: log.end, preferredReadReplica: log.follower };
    const lastStable = log.lastStable ?? log.end;
    const upTo = committed ? lastStable : end;
    const taken: Buffer[] = [];
    let size = 0;
    for (const one of log.batches) {
      if (lastOffset(one) < asked.fetchOffset || readInt64(one, 0) >= upTo) continue;
      const giant = first && taken.length === 0;
      if (!giant && size + one.length > Math.min(asked.partitionMaxBytes, bytesLeft)) break;
      taken.push(one);
      size += one.length;
    }
    return {
      partitionIndex: asked.partition,
      errorCode: 0,
      highWatermark: end,
      lastStableOffset: lastStable,
      logStartOffset: log.logStart,
      abortedTransactions: committed ? log.aborted : null,
      records: Buffer.concat(taken),
    };
  }

  private listOffsets(
    nodeId: number,
    request: RequestOf<typeof listOffsetsApi>,
  ): ResponseInit<typeof listOffsetsApi> {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const log = this.topics.get(name)?.partitions[partitionIndex];
          if (log === undefined) return { partitionIndex, errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION };
          if (log.leader !== nodeId) return { partitionIndex, errorCode: ERRORS.NOT_LEADER_OR_FOLLOWER };
          const latest = request.isolationLevel === 1 ? (log.lastStable ?? log.end) : log.end;
          const byTime = (): number => {
            const found = log.batches.find((one) => readInt64(one, 35) >= timestamp);
            return found === undefined ? -1 : readInt64(found, 0);
          };
          const offset = timestamp === -2 ? log.logStart : timestamp === -1 ? latest : byTime();
          return { partitionIndex, errorCode: 0, offset, timestamp: -1, leaderEpoch: log.leaderEpoch };
        }),
      })),
    };
  }

  private offsetFetch(request: RequestOf<typeof offsetFetchApi>): ResponseInit<typeof offsetFetchApi> {
    return {
      groups: (request.groups ?? []).map(({ groupId, topics }) => ({
        groupId,
        topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => {
            const commit = this.commits.get(groupId)?.get(`${name}-${partitionIndex}`);
            return {
              partitionIndex,
              committedOffset: commit?.offset ?? -1,
              committedLeaderEpoch: commit?.leaderEpoch ?? -1,
              metadata: commit?.metadata ?? '',
              errorCode: 0,
            };
          }),
        })),
      })),
    };
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimeout(resolve, ms);
    });
  }
}

function lastOffset(sealed: Buffer): number {
  return readInt64(sealed, 0) + sealed.readInt32BE(23);
}

/** Over the wire and back, so that the tables have their say. */
function recode<I, O>(codec: AnyApi['request'], value: I, version: number): O {
  const writer = new Writer();
  codec.encode(writer, value, version);
  return codec.decode(new Reader(Buffer.from(writer.finish())), version) as O;
}
