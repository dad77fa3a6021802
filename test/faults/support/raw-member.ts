// A group member driven by hand: it joins when told to, and keeps its session meanwhile, whatever the group says.
import type { Kafka } from '../../../src/index.ts';
import { encodeSubscription } from '../../../src/core/protocol/consumer-protocol.ts';
import { joinGroupApi } from '../../../src/core/protocol/messages/11-join-group.ts';
import { heartbeatApi } from '../../../src/core/protocol/messages/12-heartbeat.ts';
import { leaveGroupApi } from '../../../src/core/protocol/messages/13-leave-group.ts';
import { syncGroupApi } from '../../../src/core/protocol/messages/14-sync-group.ts';

const SESSION_MS = 10_000;
const REBALANCE_MS = 60_000;
const HEARTBEAT_MS = 1_000;
const MEMBER_ID_REQUIRED = 79;

/** A second member for the product's own to wait for; it never leads, so it must not be the group's first. */
export class RawMember {
  memberId = '';
  generationId = -1;
  private readonly kafka: Kafka;
  private readonly groupId: string;
  private readonly topic: string;
  private timer: NodeJS.Timeout | undefined;

  /** `kafka` is its own: a held join keeps the connection. */
  constructor(kafka: Kafka, groupId: string, topic: string) {
    this.kafka = kafka;
    this.groupId = groupId;
    this.topic = topic;
  }

  /** Resolves when it has its part of the next generation. */
  async join(): Promise<void> {
    const { cluster } = this.kafka;
    const { groupId } = this;
    const nodeId = await cluster.coordinator('group', groupId);
    const metadata = encodeSubscription({ topics: [this.topic] }, 1);
    const ask = (): Promise<{ errorCode: number; memberId: string; generationId: number }> =>
      cluster.send(
        nodeId,
        joinGroupApi,
        {
          groupId,
          sessionTimeoutMs: SESSION_MS,
          rebalanceTimeoutMs: REBALANCE_MS,
          memberId: this.memberId,
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata }],
        },
        { use: 'join-0', timeoutMs: REBALANCE_MS },
      );
    let joined = await ask();
    if (joined.errorCode === MEMBER_ID_REQUIRED) {
      this.memberId = joined.memberId;
      joined = await ask();
    }
    if (joined.errorCode !== 0) throw new Error(`JoinGroup was answered ${joined.errorCode}`);
    this.memberId = joined.memberId;
    this.generationId = joined.generationId;
    this.timer ??= setInterval(() => void this.beat(nodeId), HEARTBEAT_MS);
    const synced = await cluster.send(
      nodeId,
      syncGroupApi,
      {
        groupId,
        generationId: this.generationId,
        memberId: this.memberId,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [],
      },
      { use: 'join-0', timeoutMs: REBALANCE_MS },
    );
    if (synced.errorCode !== 0) throw new Error(`SyncGroup was answered ${synced.errorCode}`);
  }

  async leave(): Promise<void> {
    clearInterval(this.timer);
    const { groupId, memberId } = this;
    const nodeId = await this.kafka.cluster.coordinator('group', groupId);
    await this.kafka.cluster.send(nodeId, leaveGroupApi, (version) =>
      version < 3
        ? { groupId, memberId, members: [] }
        : { groupId, memberId: '', members: [{ memberId, groupInstanceId: null }] },
    );
  }

  private async beat(nodeId: number): Promise<void> {
    const { groupId, generationId, memberId } = this;
    await this.kafka.cluster.send(
      nodeId,
      heartbeatApi,
      { groupId, generationId, memberId },
      { use: 'coordinator' },
    );
  }
}
