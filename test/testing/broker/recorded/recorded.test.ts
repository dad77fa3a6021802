// What a real Kafka 4.3.1 answered, frame by frame (scripts/record-golden.ts): our tables read it and write the same bytes, and the broker in the
// box gives answers of the same shape to the same words.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../src/core/protocol/frame.ts';
import { apiByKey } from '../../../../src/core/protocol/apis.ts';
import { Reader } from '../../../../src/core/protocol/reader.ts';
import { createBroker } from '../../../../src/testing/index.ts';
import { converse, SPOKEN } from './conversation.ts';
import { shapeOf } from './shape.ts';
import { Talk, type Exchange } from './talk.ts';

const FOLDER = path.join('test', 'golden', 'broker');
const LENGTH_BYTES = 4;

interface Recorded extends Exchange {
  /** Its place in the whole conversation. */
  readonly at: number;
}

const recorded: Recorded[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => {
    const list = JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8')) as Record<
      string,
      string | number
    >[];
    return list.map(({ at, version, request, response }) => ({
      at: Number(at),
      api: name.replace('.json', ''),
      version: Number(version),
      request: Buffer.from(String(request), 'hex'),
      response: Buffer.from(String(response), 'hex'),
    }));
  })
  .sort((a, b) => a.at - b.at);

const bodyOf = ({ api, version, response }: Exchange): unknown =>
  decodeResponse(SPOKEN.get(api)!, version, new Reader(response, LENGTH_BYTES));

describe('frames recorded from Kafka', () => {
  it('are there for every API, in every version of its table', () => {
    const missing = [...SPOKEN.values()].flatMap(({ name, minVersion, maxVersion }) =>
      Array.from({ length: maxVersion - minVersion + 1 }, (_, at) => `${name} v${minVersion + at}`),
    );
    const found = new Set(recorded.map(({ api, version }) => `${api} v${version}`));
    expect(missing.filter((one) => !found.has(one))).toEqual(UNRECORDED);
  });

  it.each([...SPOKEN.keys()])('%s: answers are decoded, and encoded to the same bytes', (name) => {
    for (const one of recorded.filter(({ api }) => api === name)) {
      const api = SPOKEN.get(name)!;
      const correlationId = one.response.readInt32BE(0);
      const again = encodeResponse(api, one.version, correlationId, bodyOf(one) as never);
      expect(again.subarray(LENGTH_BYTES).toString('hex')).toBe(one.response.toString('hex'));
    }
  });

  it.each([...SPOKEN.keys()])(
    '%s: requests that Kafka took are decoded, and encoded to the same bytes',
    (name) => {
      for (const one of recorded.filter(({ api }) => api === name)) {
        const api = SPOKEN.get(name)!;
        const reader = new Reader(one.request);
        const { correlationId, clientId } = decodeRequestHeader(reader);
        // The header of an API that only brokers know ends where the known ones' tags begin.
        if (apiByKey(api.key) === undefined && one.version >= api.flexibleFrom) reader.skipTags();
        const body = api.request.decode(reader, one.version);
        expect(reader.remaining).toBe(0);
        const again = encodeRequest(api, one.version, correlationId, clientId, body);
        expect(again.subarray(LENGTH_BYTES).toString('hex')).toBe(one.request.toString('hex'));
      }
    },
  );
});

describe('the broker in the box, asked the same', () => {
  const talked = (async (): Promise<Exchange[]> => {
    const box = await createBroker({ autoCreateTopics: false });
    const talk = new Talk(box.bootstrap[0]!);
    await converse(talk);
    await box.close();
    expect(box.internalErrors).toEqual([]);
    return talk.exchanges;
  })();
  talked.catch(() => undefined);

  it.each([...SPOKEN.keys()].filter((name) => name !== 'ApiVersions'))(
    '%s: answers of the same shape',
    async (name) => {
      const of = (list: readonly Exchange[]): unknown[] =>
        list
          .filter(({ api }) => api === name)
          .map((one) => ({ version: one.version, answer: shapeOf('', bodyOf(one)) }));
      expect(of(await talked)).toEqual(of(recorded));
    },
  );

  it('ApiVersions: what it offers, Kafka offers too', async () => {
    const last = (list: readonly Exchange[]): any =>
      bodyOf(list.filter(({ api }) => api === 'ApiVersions').at(-1)!);
    const kafka = new Map<number, any>(last(recorded).apiKeys.map((one: any) => [one.apiKey, one]));
    for (const { apiKey, minVersion, maxVersion } of last(await talked).apiKeys) {
      const { minVersion: min, maxVersion: max } = kafka.get(apiKey) ?? { minVersion: -1, maxVersion: -1 };
      expect({ apiKey, min: minVersion >= min, max: maxVersion <= max }).toEqual({
        apiKey,
        min: true,
        max: true,
      });
    }
  });
});

/**
 * SaslAuthenticate needs a listener with SASL, and secrets that differ each time; see the tests of SASL. The box has no controllers of its own, and so no
 * DescribeQuorum.
 */
const UNRECORDED: readonly string[] = [
  'SaslAuthenticate v0',
  'SaslAuthenticate v1',
  'SaslAuthenticate v2',
  'DescribeQuorum v0',
  'DescribeQuorum v1',
  'DescribeQuorum v2',
];
