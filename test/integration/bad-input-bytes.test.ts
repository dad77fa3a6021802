// Answers that are not what they should be, on their way from a broker to our client: a clear error in time, whatever the API, and bounded memory.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/index.ts';
import { createBroker, type BrokerBox } from '../../src/testing/index.ts';
import { expectClear, failsWithin, rootOf } from '../helpers/bad-input/failure.ts';
import { Before, PeakMemory } from '../helpers/bad-input/left-over.ts';
import { TamperingProxy, type Tampering } from '../helpers/bad-input/tampering-proxy.ts';
import { CLIENT, ways } from '../helpers/bad-input/ways.ts';

const LIMIT_MS = 40_000;
/** Far below what the lies add up to, far above what the errors cost. */
const MEMORY_BYTES = 150 * 1024 * 1024;
const TWO_GB = 2 ** 31 - 1;

const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);
const withLength = (bytes: Buffer, length: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeInt32BE(length);
  return copy;
};

interface Lie {
  readonly tell: (bytes: Buffer) => Tampering;
  readonly says: RegExp;
}

const lies: Record<string, Lie> = {
  'a body cut short': {
    tell: (bytes) => withLength(half(bytes), half(bytes).length - 4),
    says: /(wanted at byte \d+, but the message ends after \d+ more|an array of \d+ elements where \d+ bytes are left)/,
  },
  'half a frame and then the end': {
    tell: (bytes) => ({ thenClose: half(bytes) }),
    says: /closed the connection \(by the peer\) after \d+ bytes, \d+ bytes into an answer/,
  },
  'a length of 2 GB': {
    tell: (bytes) => withLength(bytes, TWO_GB),
    says: /announced a frame of 2147483647 bytes; at most 268435456 are accepted \(maxResponseBytes\)/,
  },
  'a length within the limit that never comes': {
    tell: (bytes) => withLength(bytes, 200 * 1024 * 1024),
    says: /did not answer|answered only \d+ bytes|was silent for/,
  },
  'a negative length': {
    tell: (bytes) => withLength(bytes, -5),
    says: /announced a frame of -5 bytes; a length cannot be negative/,
  },
  'another answer': {
    tell: (bytes) => {
      const copy = Buffer.from(bytes);
      copy.writeInt32BE(4_711, 4);
      return copy;
    },
    says: /answered request 4711 where the answer to \d+ is due/,
  },
  'random bytes': {
    tell: (bytes) => Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(bytes.length - 8, 0xf7)]),
    says: /CORRUPT_MESSAGE|response/,
  },
};

const group = 'fromGroup in a topology';
const partitions = 'fromPartitions in a topology';
const sink = 'toTopic in a topology';
/** Which way meets which API. A broker that says nothing may be only slow: what is `patient` waits for it longer than a test can, or for ever. */
const apis: readonly { readonly api: string; readonly way: string; readonly patient?: boolean }[] = [
  ...['ApiVersions', 'Metadata'].flatMap((api) => [group, partitions, sink].map((way) => ({ api, way }))),
  { api: 'FindCoordinator', way: group },
  { api: 'JoinGroup', way: group, patient: true },
  { api: 'SyncGroup', way: group, patient: true },
  { api: 'OffsetFetch', way: group, patient: true },
  { api: 'OffsetCommit', way: group, patient: true },
  { api: 'ListOffsets', way: group, patient: true },
  { api: 'ListOffsets', way: partitions },
  { api: 'Fetch', way: group, patient: true },
  { api: 'Fetch', way: partitions, patient: true },
  { api: 'InitProducerId', way: sink },
  { api: 'Produce', way: sink },
];

describe('answers that lie', () => {
  let box: BrokerBox;
  beforeAll(async () => {
    box = await createBroker({
      topics: { orders: 1 },
      autoCreateTopics: false,
      group: { minSessionTimeoutMs: 500 },
    });
    const kafka = new Kafka({ brokers: box.bootstrap });
    await ways['toTopic in a script']!(kafka, 'orders', '');
    await kafka.close();
  });
  afterAll(async () => {
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  it.each(Object.keys(lies))('%s', async (name) => {
    const before = new Before();
    const peak = new PeakMemory();
    const { tell, says } = lies[name]!;
    const waits = name === 'a length within the limit that never comes';
    await Promise.all(
      apis.map(async ({ api, way, patient }, at) => {
        if (waits && patient === true) return;
        const proxy = await TamperingProxy.start(box.bootstrap[0]!);
        proxy.tamper = (answer) => (answer.api.name === api ? tell(answer.bytes) : undefined);
        const kafka = new Kafka({ brokers: [proxy.address], ...CLIENT });
        const groupId = `${name}-${at}`;
        const error = await failsWithin(LIMIT_MS, ways[way]!(kafka, 'orders', groupId)).catch(
          (cause: unknown) => {
            throw new Error(`${api}, ${way}: ${(cause as Error).message}`);
          },
        );
        expect(proxy.tampered).toBeGreaterThan(0);
        const { errorName, message } = rootOf(error);
        expect([api, way, errorName, message]).toEqual([
          api,
          way,
          expect.stringMatching(/^(NETWORK_EXCEPTION|REQUEST_TIMED_OUT|CORRUPT_MESSAGE)$/),
          expect.stringMatching(says),
        ]);
        expectClear(error, { code: 'BROKER_ERROR' }, new RegExp(proxy.address));
        await kafka.close();
        await proxy.close();
      }),
    );
    expect(peak.stop()).toBeLessThan(MEMORY_BYTES);
    await before.expectNothingLeft();
  });
});
