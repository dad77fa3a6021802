import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ProtocolError } from '../../../src/errors.ts';
import { apiByKey, APIS } from '../../../src/core/protocol/apis.ts';
import {
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../src/core/protocol/frame.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { heartbeatApi } from '../../../src/core/protocol/messages/12-heartbeat.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { defaultOf, specs } from '../../../src/core/protocol/defaults.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import { encoded, type AnyMessage } from './helpers.ts';

interface GoldenHeader {
  readonly apiKey: number;
  readonly version: number;
  readonly request: string;
  readonly response: string;
}

const headers = JSON.parse(readFileSync('test/golden/protocol/headers.json', 'utf8')) as GoldenHeader[];

function defaults(message: AnyMessage): Record<string, unknown> {
  return Object.fromEntries(specs(message.table).map(([name, spec]) => [name, defaultOf(spec)]));
}

describe('frames', () => {
  it('have golden headers for every version of every API', () => {
    const versions = APIS.reduce((sum, api) => sum + api.maxVersion - api.minVersion + 1, 0);
    expect(headers).toHaveLength(versions);
  });

  it.each(headers)(
    'of API $apiKey v$version have the headers Kafka writes',
    ({ apiKey, version, ...golden }) => {
      const api = apiByKey(apiKey)!;
      const clientId = version % 2 === 0 ? 'cl\u00efent' : null;
      const request = encodeRequest(api, version, 0x01020304, clientId, defaults(api.request as AnyMessage));
      const requestBody = encoded(api.request as AnyMessage, version, defaults(api.request as AnyMessage));
      expect(request.readInt32BE()).toBe(request.length - 4);
      expect(request.subarray(4).toString('hex')).toBe(golden.request + requestBody.toString('hex'));

      const reader = new Reader(request, 4);
      expect(decodeRequestHeader(reader)).toEqual({
        apiKey,
        apiVersion: version,
        correlationId: 0x01020304,
        clientId,
      });
      expect(reader.remaining).toBe(requestBody.length);

      const value = defaults(api.response as AnyMessage);
      const response = encodeResponse(api, version, 0x01020304, value);
      const responseBody = encoded(api.response as AnyMessage, version, value);
      expect(response.subarray(4).toString('hex')).toBe(golden.response + responseBody.toString('hex'));
      expect(decodeResponse(api, version, new Reader(response, 8))).toEqual(value);
    },
  );

  it('never put tags into the header of an ApiVersions response', () => {
    const frame = encodeResponse(apiVersionsApi, 4, 7, { errorCode: 0, apiKeys: [] });
    // length, correlation id, error code, no keys, throttle time, no tags
    expect(frame.toString('hex')).toBe('0000000c' + '00000007' + '0000' + '01' + '00000000' + '00');
    const decoded = decodeResponse(apiVersionsApi, 4, new Reader(frame, 8));
    expect(decoded).toMatchObject({ errorCode: 0, apiKeys: [], finalizedFeaturesEpoch: -1 });
  });

  it('hold several big batches in a buffer that is made once', () => {
    const records = Buffer.alloc(100_000, 1);
    const partitionData = [0, 1, 2].map((index) => ({ index, records }));
    const frame = encodeRequest(produceApi, 12, 1, 'me', {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'orders', partitionData }],
    });
    expect(frame.length).toBeGreaterThan(300_000);
    expect(frame.buffer.byteLength).toBeLessThan(frame.length + 1000);
  });

  it('are refused when bytes follow the body', () => {
    const frame = encodeResponse(heartbeatApi, 1, 7, { errorCode: 0 });
    const longer = Buffer.concat([frame, Buffer.alloc(1)]);
    expect(() => decodeResponse(heartbeatApi, 1, new Reader(longer, 8))).toThrow(
      new ProtocolError('Heartbeat response v1: 1 bytes follow its end'),
    );
  });

  it('name API and version when their body breaks the protocol', () => {
    expect(() => decodeResponse(heartbeatApi, 1, new Reader(Buffer.alloc(5)))).toThrow(
      /^Heartbeat response v1: 6 bytes wanted at byte 0/,
    );
  });
});

describe('request headers', () => {
  const header = (apiKey: number, version: number, rest: string) =>
    new Reader(
      Buffer.from(
        apiKey.toString(16).padStart(4, '0') +
          version.toString(16).padStart(4, '0') +
          '00000007' +
          '0001' +
          '63' +
          rest,
        'hex',
      ),
    );

  it('have tags in versions of ApiVersions beyond those we know', () => {
    const reader = header(18, 99, '00' + 'aabb');
    expect(decodeRequestHeader(reader)).toEqual({
      apiKey: 18,
      apiVersion: 99,
      correlationId: 7,
      clientId: 'c',
    });
    expect(reader.remaining).toBe(2);
  });

  it('skip tags nobody knows', () => {
    const reader = header(12, 4, '01' + '05' + '02' + 'ffff' + 'aa');
    expect(decodeRequestHeader(reader).clientId).toBe('c');
    expect(reader.remaining).toBe(1);
  });

  it('are read for APIs without a table as well', () => {
    const reader = header(999, 3, 'aabb');
    expect(decodeRequestHeader(reader).apiKey).toBe(999);
    expect(reader.remaining).toBe(2);
  });

  it.each([0, 1, 5, 9, 10])('are refused when cut off after %i bytes', (length) => {
    const whole = header(12, 4, '00').buffer;
    expect(() => decodeRequestHeader(new Reader(whole.subarray(0, length)))).toThrow(ProtocolError);
  });
});

describe('a broker that refuses the version of ApiVersions', () => {
  const answer = (text: string) =>
    decodeResponse(apiVersionsApi, 4, new Reader(Buffer.from(text.replaceAll(' ', ''), 'hex')));

  it('is understood in version 0, as Kafka answers', () => {
    expect(answer('0023 00000001 0012 0000 0004')).toMatchObject({
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    });
  });

  it('is understood when the rest of the body fits no version, as librdkafka’s mock answers', () => {
    expect(answer('0023 01 0012 0000 0002 00000000')).toMatchObject({ errorCode: 35, apiKeys: [] });
  });
});
