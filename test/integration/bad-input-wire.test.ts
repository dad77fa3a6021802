// Answers that are damaged on the way: each is a coded error in bounded time and memory, through the surface that users have.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/index.ts';
import { createBroker, type BrokerBox } from '../../src/testing/index.ts';
import { failsWithin, rootOf } from '../helpers/bad-input/failure.ts';
import { heldBytes } from '../helpers/bad-input/left-over.ts';
import { TamperingProxy, type Answer, type Tampering } from '../helpers/bad-input/tampering-proxy.ts';
import { CLIENT, ways } from '../helpers/bad-input/ways.ts';

const LIMIT_MS = 40_000;
const MORE_BYTES = 32 * 1024 * 1024;

function relength(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeInt32BE(length);
  return copy;
}

const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);

const framings: { readonly [what: string]: (bytes: Buffer) => Tampering } = {
  'a body cut short': (bytes) => relength(half(bytes), half(bytes).length - 4),
  'half a frame and the end of the connection': (bytes) => ({ thenClose: half(bytes) }),
  'a length of 2 GB': (bytes) => relength(bytes, 2 ** 31 - 1),
  'a negative length': (bytes) => relength(bytes, -5),
  silence: () => 'silence',
};

/** Flips the last byte of the records of a Fetch answer: the value of the last record, which the CRC covers. */
function wrongCrc({ bytes }: Answer): Buffer {
  const copy = Buffer.from(bytes);
  const value = copy.lastIndexOf('probe');
  if (value < 0) return copy;
  copy[value]! ^= 0xff;
  return copy;
}

describe('damage on the way', () => {
  let box: BrokerBox;
  let proxy: TamperingProxy;

  beforeAll(async () => {
    box = await createBroker({ topics: { orders: 1, probes: 1 }, autoCreateTopics: false });
    proxy = await TamperingProxy.start(box.bootstrap[0]!);
    const kafka = new Kafka({ brokers: box.bootstrap });
    await ways['toTopic in a script']!(kafka, 'orders', '');
    const producer = kafka.producer();
    await producer.sendAsync('probes', { value: 'probe' });
    await producer.close();
    await kafka.close();
  });

  afterAll(async () => {
    await proxy.close();
    await box.close();
  });

  async function failure(
    api: string,
    way: string,
    topic: string,
    tamper: (answer: Answer) => Tampering,
  ): Promise<Error> {
    proxy.tampered = 0;
    proxy.tamper = (answer) => (answer.api.name === api ? tamper(answer) : undefined);
    const before = heldBytes();
    const kafka = new Kafka({ brokers: [proxy.address], ...CLIENT });
    try {
      const error = await failsWithin<Error>(LIMIT_MS, ways[way]!(kafka, topic, `g-${api}`));
      expect(proxy.tampered).toBeGreaterThan(0);
      expect(heldBytes() - before).toBeLessThan(MORE_BYTES);
      return error;
    } finally {
      await kafka.close();
    }
  }

  describe.each([
    ['ApiVersions', 'fromPartitions in a topology'],
    ['Metadata', 'fromGroup in a topology'],
    ['Produce', 'toTopic in a topology'],
    ['JoinGroup', 'fromGroup in a topology'],
  ])('%s', (api, way) => {
    // A member that gets no answer to its JoinGroup goes on asking, as every Kafka client does.
    const cases = Object.keys(framings).filter((what) => api !== 'JoinGroup' || what !== 'silence');
    it.each(cases)('%s', async (what) => {
      const error = await failure(api, way, 'orders', ({ bytes }) => framings[what]!(bytes));
      expect(rootOf(error)).toMatchObject({
        code: 'BROKER_ERROR',
        errorName: expect.stringMatching(/^[A-Z_]+$/),
      });
    });
  });

  it('a batch whose CRC does not match names topic, partition and offset', async () => {
    const error = await failure('Fetch', 'fromPartitions in a topology', 'probes', wrongCrc);
    expect(rootOf(error)).toMatchObject({ code: 'BROKER_ERROR', errorName: 'CORRUPT_MESSAGE' });
    expect(error.message).toMatch(/probes/);
  });
});
