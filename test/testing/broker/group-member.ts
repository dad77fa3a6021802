// A member of a classic group for tests: one connection, one member id, no behaviour of its own.
import type { ResponseOf } from '../../../src/core/protocol/api.ts';
import { encodeSubscription } from '../../../src/core/protocol/consumer-protocol.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { offsetCommitApi } from '../../../src/core/protocol/messages/08-offset-commit.ts';
import { joinGroupApi } from '../../../src/core/protocol/messages/11-join-group.ts';
import { heartbeatApi } from '../../../src/core/protocol/messages/12-heartbeat.ts';
import { leaveGroupApi } from '../../../src/core/protocol/messages/13-leave-group.ts';
import { syncGroupApi } from '../../../src/core/protocol/messages/14-sync-group.ts';
import type { WireClient } from './wire-client.ts';

type Joined = ResponseOf<typeof joinGroupApi>;

interface OwnedTopic {
  readonly topic: string;
  readonly partitions: number[];
}

export interface MemberOptions {
  readonly groupId?: string;
  readonly instanceId?: string | null;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly protocols?: readonly string[];
  readonly version?: number;
  /** Topics, where it is to say so as consumers do. */
  readonly subscribedTo?: readonly string[];
}

export class TestMember {
  memberId = '';
  generationId = -1;
  readonly groupId: string;
  readonly client: WireClient;
  readonly #options: MemberOptions;
  #subscription = 'all';
  #owned: readonly OwnedTopic[] = [];

  constructor(client: WireClient, options: MemberOptions = {}) {
    this.client = client;
    this.#options = options;
    this.groupId = options.groupId ?? 'readers';
  }

  /** What it says about itself when it joins. */
  subscribe(subscription: string): void {
    this.#subscription = subscription;
  }

  /** What it says it owns when it joins. */
  owns(owned: readonly OwnedTopic[]): void {
    this.#owned = owned;
  }

  /** Joins, first asking for an id when the broker wants that. */
  async join(): Promise<Joined> {
    const joined = await this.joinOnce();
    return joined.errorCode === ERRORS.MEMBER_ID_REQUIRED ? this.joinOnce() : joined;
  }

  async joinOnce(): Promise<Joined> {
    const {
      instanceId = null,
      sessionTimeoutMs = 10_000,
      rebalanceTimeoutMs = 30_000,
      protocols = ['range'],
    } = this.#options;
    const joined = await this.client.call(joinGroupApi, this.#options.version ?? 9, {
      groupId: this.groupId,
      memberId: this.memberId,
      ...(instanceId !== null && { groupInstanceId: instanceId }),
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocolType: 'consumer',
      protocols: protocols.map((name) => ({ name, metadata: this.#metadata })),
    });
    if (joined.memberId !== '') this.memberId = joined.memberId;
    if (joined.errorCode === ERRORS.NONE) this.generationId = joined.generationId;
    return joined;
  }

  sync(
    assignments: Readonly<Record<string, string>> = {},
    protocolName = 'range',
  ): Promise<ResponseOf<typeof syncGroupApi>> {
    const bytes = Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)] as const);
    return this.syncWith(Object.fromEntries(bytes), protocolName);
  }

  syncWith(
    assignments: Readonly<Record<string, Buffer>>,
    protocolName = 'range',
  ): Promise<ResponseOf<typeof syncGroupApi>> {
    const { groupId, memberId, generationId } = this;
    const list = Object.entries(assignments).map(([id, assignment]) => ({ memberId: id, assignment }));
    return this.client.call(syncGroupApi, 5, {
      groupId,
      memberId,
      generationId,
      ...this.#instance,
      protocolType: 'consumer',
      protocolName,
      assignments: list,
    });
  }

  async heartbeat(): Promise<number> {
    const { groupId, memberId, generationId } = this;
    const { errorCode } = await this.client.call(heartbeatApi, 4, {
      groupId,
      memberId,
      generationId,
      ...this.#instance,
    });
    return errorCode;
  }

  async leave(): Promise<number> {
    const { groupId, memberId } = this;
    const { members } = await this.client.call(leaveGroupApi, 4, {
      groupId,
      members: [{ memberId, ...this.#instance }],
    });
    return members[0]!.errorCode;
  }

  async commit(committedOffset: number, topic = 'lines'): Promise<number> {
    const { topics } = await this.client.call(offsetCommitApi, 9, {
      groupId: this.groupId,
      memberId: this.memberId,
      generationIdOrMemberEpoch: this.generationId,
      ...this.#instance,
      topics: [
        { name: topic, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: 'mark' }] },
      ],
    });
    return topics[0]!.partitions[0]!.errorCode;
  }

  get #metadata(): Buffer {
    const topics = this.#options.subscribedTo;
    if (topics === undefined) return Buffer.from(this.#subscription);
    return encodeSubscription({ topics, ownedPartitions: this.#owned }, 1);
  }

  get #instance(): { groupInstanceId?: string } {
    const { instanceId = null } = this.#options;
    return instanceId === null ? {} : { groupInstanceId: instanceId };
  }
}
