import { describe, expect, it } from '@jest/globals';
import {
  SentFields,
  type MemberFacts,
} from '../../../../src/core/group/consumer-protocol/heartbeat-fields.ts';

const FACTS: MemberFacts = {
  rackId: 'r1',
  rebalanceTimeoutMs: 60_000,
  topicNames: ['orders'],
  topicRegex: '',
  serverAssignor: 'range',
  owned: new Map([['id', [0, 1]]]),
};
const WHOLE = {
  rackId: 'r1',
  rebalanceTimeoutMs: 60_000,
  subscribedTopicNames: ['orders'],
  subscribedTopicRegex: '',
  serverAssignor: 'range',
};
const NOTHING = {
  rackId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: null,
};

describe('what a heartbeat says', () => {
  it('says everything when it joins, and that it owns nothing', () => {
    expect(new SentFields().join(FACTS)).toEqual({ ...WHOLE, topicPartitions: [] });
  });

  it('says only what changed after that', () => {
    const sent = new SentFields();
    sent.join({ ...FACTS, owned: new Map() });
    expect(sent.next({ ...FACTS, owned: new Map() })).toEqual(NOTHING);
    const owned = [{ topicId: 'id', partitions: [0, 1] }];
    expect(sent.next(FACTS)).toEqual({ ...NOTHING, topicPartitions: owned });
    expect(sent.next(FACTS)).toEqual(NOTHING);
    const more = { ...FACTS, topicNames: ['a', 'orders'] };
    expect(sent.next(more)).toEqual({ ...NOTHING, subscribedTopicNames: ['a', 'orders'] });
    const without = { ...more, owned: new Map() };
    expect(sent.next(without)).toEqual({ ...NOTHING, topicPartitions: [] });
  });

  it('says everything again after it was forgotten, what it owns included', () => {
    const sent = new SentFields();
    sent.join(FACTS);
    sent.next(FACTS);
    sent.forget();
    const owned = [{ topicId: 'id', partitions: [0, 1] }];
    expect(sent.next(FACTS)).toEqual({ ...WHOLE, topicPartitions: owned });
  });

  it('names no pattern in version 0, which has no field for it', () => {
    expect(new SentFields().join({ ...FACTS, topicRegex: null }).subscribedTopicRegex).toBeNull();
  });
});
