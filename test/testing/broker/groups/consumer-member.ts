// A member of a consumer group for tests: one connection, one member id, no behaviour of its own.
import type { RequestOf, ResponseOf } from '../../../../src/core/protocol/api.ts';
import { offsetCommitApi } from '../../../../src/core/protocol/messages/08-offset-commit.ts';
import { consumerGroupHeartbeatApi } from '../../../../src/core/protocol/messages/68-consumer-group-heartbeat.ts';
import type { WireClient } from '../wire-client.ts';

type Heartbeat = Partial<RequestOf<typeof consumerGroupHeartbeatApi>>;
type Beaten = ResponseOf<typeof consumerGroupHeartbeatApi>;

export class TestConsumer {
  epoch = 0;
  assignment: NonNullable<Beaten['assignment']>['topicPartitions'] = [];
  readonly client: WireClient;
  readonly memberId: string;
  readonly groupId: string;

  constructor(client: WireClient, memberId: string, groupId = 'readers') {
    this.client = client;
    this.memberId = memberId;
    this.groupId = groupId;
  }

  /** Numbers of the partitions it was told to have, of all topics. */
  get partitions(): number[] {
    return this.assignment.flatMap(({ partitions }) => partitions).sort((a, b) => a - b);
  }

  join(change: Heartbeat = {}): Promise<Beaten> {
    return this.beat({
      memberEpoch: 0,
      rebalanceTimeoutMs: 20_000,
      subscribedTopicNames: ['lines'],
      topicPartitions: [],
      ...change,
    });
  }

  async beat(change: Heartbeat = {}): Promise<Beaten> {
    const { groupId, memberId, epoch: memberEpoch } = this;
    const answer = await this.client.call(consumerGroupHeartbeatApi, 1, {
      groupId,
      memberId,
      memberEpoch,
      ...change,
    });
    if (answer.errorCode === 0) {
      this.epoch = answer.memberEpoch;
      this.assignment = answer.assignment?.topicPartitions ?? this.assignment;
    }
    return answer;
  }

  /** Says that it owns what it was told to have. */
  settle(): Promise<Beaten> {
    return this.beat({ topicPartitions: this.assignment });
  }

  leave(): Promise<Beaten> {
    return this.beat({ memberEpoch: -1 });
  }

  async commit(committedOffset: number, epoch = this.epoch): Promise<number> {
    const { topics } = await this.client.call(offsetCommitApi, 9, {
      groupId: this.groupId,
      memberId: this.memberId,
      generationIdOrMemberEpoch: epoch,
      topics: [
        { name: 'lines', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] },
      ],
    });
    return topics[0]!.partitions[0]!.errorCode;
  }
}
