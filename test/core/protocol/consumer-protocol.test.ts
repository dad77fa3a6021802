import { describe, expect, it } from '@jest/globals';
import { ProtocolError } from '../../../src/errors.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/core/protocol/consumer-protocol.ts';

describe('the consumer protocol', () => {
  const ownedPartitions = [{ topic: 'a', partitions: [0, 2] }];

  it('carries a subscription in every version, without what the version does not know', () => {
    const subscription = {
      topics: ['a', 'b'],
      userData: Buffer.from('u'),
      ownedPartitions,
      generationId: 5,
      rackId: 'r',
    };
    const read = (version: number) => decodeSubscription(encodeSubscription(subscription, version));
    expect(read(3)).toEqual(subscription);
    expect(read(2)).toEqual({ ...subscription, rackId: null });
    expect(read(1)).toEqual({ ...subscription, rackId: null, generationId: -1 });
    expect(read(0)).toEqual({ ...subscription, rackId: null, generationId: -1, ownedPartitions: [] });
  });

  it('starts with the version', () => {
    expect(encodeSubscription({ topics: [] }, 1).toString('hex')).toBe(
      '0001' + '00000000' + 'ffffffff' + '00000000',
    );
    expect(encodeAssignment({ assignedPartitions: ownedPartitions }).toString('hex')).toBe(
      '0003' + '00000001' + '000161' + '00000002' + '00000000' + '00000002' + 'ffffffff',
    );
  });

  it('reads a version from the future as the highest it knows', () => {
    const bytes = Buffer.concat([
      encodeAssignment({ assignedPartitions: ownedPartitions }),
      Buffer.from('later'),
    ]);
    bytes.writeInt16BE(9);
    expect(decodeAssignment(bytes)).toEqual({ assignedPartitions: ownedPartitions, userData: null });
  });

  it('takes no bytes for an assignment of nothing', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({ assignedPartitions: [], userData: null });
  });

  it('refuses what is cut off, negative or not a subscription at all', () => {
    const bytes = encodeSubscription({ topics: ['a'], ownedPartitions });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSubscription(bytes.subarray(0, length))).toThrow(ProtocolError);
    }
    expect(() => decodeSubscription(Buffer.from('ffff00000000', 'hex'))).toThrow(ProtocolError);
    expect(() => decodeAssignment(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow(ProtocolError);
  });
});
