import { beforeEach, describe, expect, it } from '@jest/globals';
import { Connection, type ConnectionOptions } from '../../../src/core/network/connection.ts';
import { ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { encodeResponse } from '../../../src/core/protocol/frame.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { heartbeatApi } from '../../../src/core/protocol/messages/12-heartbeat.ts';
import { listGroupsApi } from '../../../src/core/protocol/messages/16-list-groups.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import {
  ConnectionError,
  ProtocolError,
  TimeoutError,
  UnsupportedVersionError,
} from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import {
  bodyOf,
  FakeTransport,
  type FakeWire,
  type Peer,
  type SeenRequest,
  silentPeer,
} from '../../helpers/fake-wire.ts';
import { rejection } from '../../helpers/rejection.ts';

const CONNECT_MS = 10_000;
const REQUEST_MS = 30_000;
const AT = 'kafka:9092';

const RANGES = [
  { apiKey: 16, minVersion: 0, maxVersion: 5 },
  { apiKey: 12, minVersion: 0, maxVersion: 3 },
  { apiKey: 18, minVersion: 0, maxVersion: 4 },
  { apiKey: 1, minVersion: 90, maxVersion: 99 },
];

let clock: VirtualClock;
let transport: FakeTransport;
let options: ConnectionOptions;

beforeEach(() => {
  clock = new VirtualClock();
  transport = new FakeTransport(clock);
  options = {
    address: { host: 'kafka', port: 9092 },
    clientId: 'me',
    clock,
    transport,
    connectTimeoutMs: CONNECT_MS,
    stallAfterMs: REQUEST_MS,
    maxFrameBytes: 256 * 1024 * 1024,
  };
});

/** A broker that shakes hands; what else it does is up to the test. */
function broker(onRequest: (request: SeenRequest, wire: FakeWire) => void = () => undefined): Peer {
  return (wire) => {
    wire.onRequest = (request) => {
      if (request.api.key === apiVersionsApi.key) {
        wire.respond<typeof apiVersionsApi>(request, { errorCode: 0, apiKeys: RANGES });
      } else onRequest(request, wire);
    };
    wire.accept();
  };
}

const emptyList = { errorCode: 0, groups: [] };

async function connected(
  peer: Peer = broker((request, wire) => wire.respond<typeof listGroupsApi>(request, emptyList)),
): Promise<{ connection: Connection; wire: FakeWire }> {
  transport.peers.set(AT, peer);
  const connection = await clock.run(Connection.open(options));
  return { connection, wire: transport.wires.at(-1)! };
}

/** Moves the time until the promise rejects. */
function failure<E extends Error = Error>(promise: Promise<unknown>, withinMs = 1000): Promise<E> {
  return clock.run(rejection<E>(promise), withinMs);
}

describe('opening', () => {
  it('agrees on versions and sends in them', async () => {
    const { connection, wire } = await connected();
    expect(await clock.run(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }))).toMatchObject(emptyList);
    expect(wire.requests.map(({ api, version, clientId }) => [api.name, version, clientId])).toEqual([
      ['ApiVersions', 4, 'me'],
      ['ListGroups', 5, 'me'],
    ]);
    expect(bodyOf(apiVersionsApi, wire.requests[0]!).clientSoftwareName).toBe('sluice');
  });

  it('asks again in a version the broker names when it does not know ours', async () => {
    const versions: number[] = [];
    await connected((wire) => {
      wire.onRequest = (request) => {
        versions.push(request.version);
        if (request.version <= 2)
          wire.respond<typeof apiVersionsApi>(request, { errorCode: 0, apiKeys: RANGES });
        else {
          const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 2 }];
          const refusal = { errorCode: ERRORS.UNSUPPORTED_VERSION, apiKeys };
          wire.data(encodeResponse(apiVersionsApi, 0, request.correlationId, refusal));
        }
      };
      wire.accept();
    });
    expect(versions).toEqual([4, 2]);
  });

  it('falls back to version 0 when the refusal names no range', async () => {
    const versions: number[] = [];
    await connected((wire) => {
      wire.onRequest = (request) => {
        versions.push(request.version);
        const errorCode = request.version === 0 ? 0 : ERRORS.UNSUPPORTED_VERSION;
        const apiKeys = errorCode === 0 ? RANGES : [];
        wire.data(encodeResponse(apiVersionsApi, 0, request.correlationId, { errorCode, apiKeys }));
      };
      wire.accept();
    });
    expect(versions).toEqual([4, 0]);
  });

  it('says so when the broker refuses every version', async () => {
    transport.peers.set(AT, (wire) => {
      wire.onRequest = ({ correlationId }) => {
        const body = { errorCode: ERRORS.UNSUPPORTED_VERSION, apiKeys: [] };
        wire.data(encodeResponse(apiVersionsApi, 0, correlationId, body));
      };
      wire.accept();
    });
    const error = await failure<ConnectionError>(Connection.open(options));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/kafka:9092 refused to say which versions it speaks: UNSUPPORTED_VERSION/);
    expect(error).toMatchObject({ phase: 'handshake', retriable: false });
  });

  it('names the address and the cause when nobody listens', async () => {
    const error = await failure<ConnectionError>(Connection.open(options));
    expect(error.message).toBe('kafka:9092 could not be reached: connect ECONNREFUSED kafka:9092');
    expect(error).toMatchObject({ host: 'kafka', port: 9092, phase: 'dial', retriable: true });
  });

  it('survives a transport that throws', async () => {
    options = {
      ...options,
      transport: {
        connect() {
          throw new RangeError('Port should be >= 0 and < 65536. Received 99999.');
        },
      },
    };
    expect((await failure(Connection.open(options))).message).toMatch(/could not be reached: Port should be/);
  });

  it('gives up a dial that leads nowhere, at its deadline', async () => {
    transport.peers.set(AT, () => undefined);
    const error = await failure(Connection.open(options), CONNECT_MS);
    expect(error.message).toBe('kafka:9092 could not be reached within 10000 ms');
    expect(clock.now()).toBe(CONNECT_MS);
    expect(transport.openWires).toEqual([]);
  });

  it('gives up a peer that accepts and says nothing, at its deadline', async () => {
    transport.peers.set(AT, silentPeer);
    const error = await failure<ConnectionError>(Connection.open(options), CONNECT_MS);
    expect(error.message).toBe(
      'kafka:9092 accepted the connection and answered nothing within 10000 ms; is it a plaintext listener of a Kafka broker?',
    );
    expect(error.phase).toBe('handshake');
    expect(clock.now()).toBe(CONNECT_MS);
    expect(transport.openWires).toEqual([]);
  });

  it.each([
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n', /kafka:9092 .*answered in HTTP/],
    ['a TLS port', '\x15\x03\x03\x00\x02\x02\x46', /kafka:9092 .*answered in TLS/],
    ['2 GB', '\x7f\xff\xff\xff', /kafka:9092 .*2147483647 bytes/],
    ['a negative length', '\xff\xff\xff\xff', /kafka:9092 .*-1 bytes/],
    [
      'the wrong correlation id',
      '\x00\x00\x00\x06\x00\x00\x00\x63\x00\x00',
      /answered request 99 where the answer to 1/,
    ],
    [
      'a body cut short',
      '\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00',
      /ApiVersions response v4: 1 bytes wanted/,
    ],
  ])('recognises %s at once', async (_name, bytes, message) => {
    transport.peers.set(AT, (wire) => {
      wire.onRequest = () => {
        wire.data(Buffer.from(bytes, 'latin1'));
      };
      wire.accept();
    });
    const error = await failure<ConnectionError>(Connection.open(options), 0);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(message);
    expect(error.cause).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ phase: 'handshake', retriable: false });
    expect(transport.openWires).toEqual([]);
  });

  it('says after how many bytes the peer closed, at each of them', async () => {
    const whole = encodeResponse(apiVersionsApi, 4, 1, { errorCode: 0, apiKeys: RANGES });
    for (let bytes = 0; bytes < whole.length; bytes += 1) {
      transport.peers.set(AT, (wire) => {
        wire.onRequest = () => {
          wire.data(whole.subarray(0, bytes));
          wire.close();
        };
        wire.accept();
      });
      const error = await failure(Connection.open(options), 0);
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error.message).toContain(`kafka:9092 closed the connection (by the peer) after ${bytes} bytes`);
      expect(error.message).toMatch(/is it a TLS or SASL port\?$/);
    }
  });

  it('ends when the caller gives up', async () => {
    transport.peers.set(AT, silentPeer);
    const controller = new AbortController();
    const opening = Connection.open(options, controller.signal);
    const error = rejection(opening);
    controller.abort(new Error('never mind'));
    expect((await error).message).toBe('never mind');
    expect(transport.openWires).toEqual([]);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves no timer behind but the lazy one of its first request', async () => {
    const { connection } = await connected();
    connection.close();
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('requests', () => {
  it('sent in one go are answered in order', async () => {
    const { connection, wire } = await connected(
      broker((request, wire) =>
        wire.respond<typeof heartbeatApi>(request, { errorCode: request.correlationId }),
      ),
    );
    const beats = [1, 2, 3].map((generationId) =>
      connection.send(heartbeatApi, { groupId: 'g', generationId, memberId: 'm' }, { timeoutMs: 1000 }),
    );
    expect(connection.pending).toBe(3);
    const answers = await clock.run(Promise.all(beats));
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([2, 3, 4]);
    expect(wire.requests.slice(1).map((request) => bodyOf(heartbeatApi, request).generationId)).toEqual([
      1, 2, 3,
    ]);
    expect(connection.pending).toBe(0);
  });

  it('are made for the version they are sent in, no higher than asked', async () => {
    const { connection } = await connected();
    const versions: number[] = [];
    const request = (version: number): object => {
      versions.push(version);
      return {};
    };
    await clock.run(connection.send(listGroupsApi, request, { timeoutMs: 1000 }));
    await clock.run(connection.send(listGroupsApi, request, { timeoutMs: 1000, maxVersion: 3 }));
    expect(versions).toEqual([5, 3]);
    expect(connection.version(listGroupsApi, 9)).toBe(5);
  });

  it('that no common version can carry are refused here, naming both ranges', async () => {
    const { connection, wire } = await connected();
    const body = { maxWaitMs: 1, minBytes: 1, topics: [], forgottenTopicsData: [] };
    const error = await failure(connection.send(fetchApi, body, { timeoutMs: 1000 }));
    expect(error).toBeInstanceOf(UnsupportedVersionError);
    expect(error.message).toMatch(/this client speaks 4 to 1\d, the broker 90 to 99/);
    expect(wire.requests.length).toBe(1);
  });

  it('that cannot be encoded take no place in the order', async () => {
    const { connection } = await connected();
    const bad = { statesFilter: [7] } as never;
    expect((await failure(connection.send(listGroupsApi, bad, { timeoutMs: 1000 }))).message).toMatch(
      /ListGroups/,
    );
    expect(await clock.run(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }))).toMatchObject(emptyList);
  });

  it('time out as sent, and the late answer does not disturb the next one', async () => {
    const held: SeenRequest[] = [];
    const { connection, wire } = await connected(broker((request) => held.push(request)));
    const error = await failure<TimeoutError>(connection.send(listGroupsApi, {}, { timeoutMs: 100 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ sent: true, afterMs: 100, api: 'ListGroups' });
    expect(error.message).toBe('kafka:9092 did not answer ListGroups within 100 ms');
    const second = connection.send(listGroupsApi, {}, { timeoutMs: 1000 });
    await clock.settle();
    for (const request of held)
      wire.respond<typeof listGroupsApi>(request, { ...emptyList, errorCode: request.correlationId });
    expect((await clock.run(second)).errorCode).toBe(held[1]!.correlationId);
    expect(connection.lateResponses).toBe(1);
    expect(connection.isOpen).toBe(true);
  });

  it('that are aborted reject with the reason, and their answer is dropped', async () => {
    const held: SeenRequest[] = [];
    const { connection, wire } = await connected(broker((request) => held.push(request)));
    const controller = new AbortController();
    const first = rejection(
      connection.send(listGroupsApi, {}, { timeoutMs: 1000, signal: controller.signal }),
    );
    const second = connection.send(listGroupsApi, {}, { timeoutMs: 1000 });
    await clock.settle();
    controller.abort(new Error('changed my mind'));
    expect((await first).message).toBe('changed my mind');
    for (const request of held) wire.respond<typeof listGroupsApi>(request, emptyList);
    await clock.run(second);
    const aborted = connection.send(listGroupsApi, {}, { timeoutMs: 1000, signal: controller.signal });
    expect((await failure(aborted)).message).toBe('changed my mind');
    expect(held.length).toBe(2);
  });

  it('whose answer cannot be read fail alone', async () => {
    const { connection } = await connected(
      broker((request, wire) => {
        const body = encodeResponse(listGroupsApi, 5, request.correlationId, emptyList);
        if (request.correlationId > 2) wire.data(body);
        else
          wire.data(
            Buffer.concat([Buffer.from([0, 0, 0, body.length - 3]), body.subarray(4), Buffer.from([9])]),
          );
      }),
    );
    const bad = rejection(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    const good = connection.send(listGroupsApi, {}, { timeoutMs: 1000 });
    await clock.advance(0);
    expect(await bad).toBeInstanceOf(ProtocolError);
    expect((await bad).message).toMatch(/1 bytes follow its end/);
    expect(await clock.run(good)).toMatchObject(emptyList);
  });
});

describe('the end of a connection', () => {
  it.each<[string, (wire: FakeWire, id: number) => void, RegExp]>([
    [
      'a reset',
      (wire) => wire.close(new Error('read ECONNRESET')),
      /closed the connection \(read ECONNRESET\)/,
    ],
    ['an orderly close', (wire) => wire.close(), /closed the connection \(by the peer\)/],
    [
      'the wrong correlation id',
      (wire, id) => wire.data(encodeResponse(listGroupsApi, 5, id + 40, emptyList)),
      /answered request 42 where/,
    ],
    ['2 GB', (wire) => wire.data(Buffer.from([0x7f, 255, 255, 255])), /2147483647 bytes/],
    [
      'an answer given before',
      (wire) => {
        wire.data(encodeResponse(listGroupsApi, 5, 1, emptyList));
      },
      /answered request 1 where the answer to 2/,
    ],
  ])('by %s rejects all in flight', async (_name, end, message) => {
    const { connection, wire } = await connected(broker());
    const closed: Error[] = [];
    connection.onClosed = (error) => closed.push(error);
    const calls = [1, 2, 3].map(() => rejection(connection.send(listGroupsApi, {}, { timeoutMs: 1000 })));
    await clock.settle();
    end(wire, 2);
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ phase: 'io', retriable: true });
      expect(error.message).toMatch(message);
    }
    expect(closed.length).toBe(1);
    expect(connection.isOpen).toBe(false);
    expect(wire.destroyed).toBe(true);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });

  it('by close() rejects all in flight, and what comes later was not sent', async () => {
    const { connection, wire } = await connected(broker());
    const call = rejection(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    connection.close();
    expect((await call).message).toBe('kafka:9092 was closed by the client');
    expect(await failure(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }))).toMatchObject({
      phase: 'dial',
    });
    expect(wire.destroyed).toBe(true);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });

  it('comes to a peer that owes an answer and is silent for too long', async () => {
    const { connection } = await connected(broker());
    const closed: Error[] = [];
    connection.onClosed = (error) => closed.push(error);
    expect(await failure(connection.send(listGroupsApi, {}, { timeoutMs: 5000 }), 5000)).toBeInstanceOf(
      TimeoutError,
    );
    expect(connection.isOpen).toBe(true);
    await clock.advance(REQUEST_MS - 5000);
    expect(closed.map(({ message }) => message)).toEqual([
      'kafka:9092 was silent for 30000 ms with answers outstanding',
    ]);
  });
});

describe('throttling (KIP-219)', () => {
  const throttled = (ms: number): Peer =>
    broker((request, wire) =>
      wire.respond<typeof listGroupsApi>(request, {
        ...emptyList,
        throttleTimeMs: request.correlationId === 2 ? ms : 0,
      }),
    );

  it('holds back what comes in the window, in order', async () => {
    const { connection, wire } = await connected(throttled(700));
    await clock.run(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    const from = clock.now();
    const calls = ['a', 'b'].map((state) =>
      connection.send(listGroupsApi, { statesFilter: [state] }, { timeoutMs: 1000 }),
    );
    await clock.advance(699);
    expect(wire.requests.length).toBe(2);
    await clock.run(Promise.all(calls));
    expect(wire.requests.slice(2).map(({ at }) => at - from)).toEqual([700, 700]);
    expect(wire.requests.slice(2).map((request) => bodyOf(listGroupsApi, request).statesFilter)).toEqual([
      ['a'],
      ['b'],
    ]);
  });

  it('lets held requests time out as not sent, and never sends them', async () => {
    const { connection, wire } = await connected(throttled(5000));
    await clock.run(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    const error = await failure<TimeoutError>(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    expect(error).toMatchObject({ sent: false, afterMs: 1000 });
    expect(error.message).toMatch(
      /was held back for 1000 ms: kafka:9092 throttles this client for another 4000 ms/,
    );
    const controller = new AbortController();
    const aborted = rejection(
      connection.send(listGroupsApi, {}, { timeoutMs: 9000, signal: controller.signal }),
    );
    controller.abort(new Error('stop'));
    expect((await aborted).message).toBe('stop');
    const last = connection.send(listGroupsApi, { statesFilter: ['last'] }, { timeoutMs: 9000 });
    await clock.run(last);
    expect(wire.requests.slice(2).map((request) => bodyOf(listGroupsApi, request).statesFilter)).toEqual([
      ['last'],
    ]);
  });

  it('does not count as silence of the peer', async () => {
    const { connection, wire } = await connected(throttled(29_000));
    await clock.run(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    wire.onRequest = () => undefined;
    const late = failure(connection.send(listGroupsApi, {}, { timeoutMs: REQUEST_MS }), REQUEST_MS);
    expect(await late).toMatchObject({ sent: true });
    expect(connection.isOpen).toBe(true);
  });

  it('leaves no timer behind when the connection closes', async () => {
    const { connection } = await connected(throttled(5000));
    await clock.run(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    const held = rejection(connection.send(listGroupsApi, {}, { timeoutMs: 1000 }));
    connection.close();
    expect(await held).toBeInstanceOf(ConnectionError);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });
});
