import { describe, expect, it } from '@jest/globals';
import { MemoryNetwork } from '../../../src/testing/simulation/memory-network.ts';
import type { MemoryNetworkOptions } from '../../../src/testing/simulation/memory-network.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import type { ServerWire } from '../../../src/testing/simulation/server-wire.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

const address = { host: 'broker-0', port: 9092 };

function setUp(options: Partial<MemoryNetworkOptions> = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, ...options });
  const log: string[] = [];
  const note = (what: string): void => void log.push(`${clock.now()} ${what}`);
  const servers: ServerWire[] = [];
  const listener = network.listen(address, (wire) => {
    servers.push(wire);
    note('accepted');
    return {
      onData: (chunk) => note(`server got ${chunk.toString()}`),
      onDrain: () => note('server drained'),
      onClose: (cause) => note(`server closed ${cause?.message ?? 'in order'}`),
    };
  });
  const connect = (to = address) =>
    network.transport.connect(to, {
      onOpen: () => note('open'),
      onData: (chunk) => note(`client got ${chunk.toString()}`),
      onDrain: () => note('client drained'),
      onClose: (cause) => note(`client closed ${cause?.message ?? 'in order'}`),
    });
  return { clock, network, log, servers, connect, listener };
}

describe('MemoryNetwork', () => {
  it('delivers bytes both ways after the latency, in order, never from inside a call', async () => {
    const { clock, log, servers, connect } = setUp({ latencyMs: 5 });
    const wire = connect();
    wire.write(Buffer.from('early'));
    expect(log).toEqual([]);
    await clock.advance(10);
    wire.write(Buffer.from('one'));
    wire.write(Buffer.from('two'));
    servers[0]!.write(Buffer.from('hello'));
    await clock.advance(10);
    expect(log).toEqual([
      '5 accepted',
      '10 server got early',
      '10 open',
      '15 server got one',
      '15 server got two',
      '15 client got hello',
    ]);
  });

  it('keeps the order under random latencies', async () => {
    const { clock, log, connect } = setUp({ latencyMs: { min: 1, max: 50 }, random: seededRandom(3) });
    const wire = connect();
    for (let at = 0; at < 50; at++) wire.write(Buffer.from(String(at)));
    await clock.advance(1000);
    const got = log
      .filter((line) => line.includes('server got'))
      .map((line) => Number(line.split(' ').at(-1)));
    expect(got).toEqual(Array.from({ length: 50 }, (_, at) => at));
  });

  it('takes a copy: the writer may change its buffer afterwards', async () => {
    const { clock, log, connect } = setUp({ latencyMs: 1 });
    const bytes = Buffer.from('before');
    connect().write(bytes);
    bytes.write('behind');
    await clock.advance(10);
    expect(log).toContain('2 server got before');
  });

  it('refuses where nobody listens', async () => {
    const { clock, log, connect, listener } = setUp({ latencyMs: 1 });
    connect({ host: 'broker-9', port: 1 });
    await listener.close();
    connect();
    await clock.advance(10);
    expect(log).toEqual([
      '1 client closed connect ECONNREFUSED broker-9:1',
      '1 client closed connect ECONNREFUSED broker-0:9092',
    ]);
  });

  it('delivers what was written before the end, and tells both sides', async () => {
    const { clock, log, servers, connect, network } = setUp({ latencyMs: 2 });
    const wire = connect();
    await clock.advance(10);
    servers[0]!.write(Buffer.from('last words'));
    servers[0]!.end();
    await clock.advance(10);
    expect(log.slice(2)).toEqual([
      '10 server closed in order',
      '12 client got last words',
      '12 client closed in order',
    ]);
    wire.write(Buffer.from('into the void'));
    wire.destroy();
    await clock.advance(10);
    expect(log).toHaveLength(5);
    expect(network.openLinks()).toBe(0);
  });

  it('cuts: both ends see a reset and what was on its way is lost', async () => {
    const { clock, log, connect, network } = setUp({ latencyMs: 2 });
    const wire = connect();
    await clock.advance(10);
    wire.write(Buffer.from('lost'));
    network.cut(address);
    await clock.advance(10);
    expect(log.slice(2)).toEqual(['10 client closed read ECONNRESET', '10 server closed read ECONNRESET']);
  });

  it('goes half open: nothing arrives, nobody is told, and only the own end notices its own close', async () => {
    const { clock, log, connect, network, servers } = setUp({ latencyMs: 2 });
    const wire = connect();
    await clock.advance(10);
    wire.write(Buffer.from('lost'));
    network.halfOpen();
    servers[0]!.write(Buffer.from('lost too'));
    await clock.advance(100);
    expect(log.slice(2)).toEqual([]);
    wire.destroy();
    await clock.advance(100);
    expect(log.slice(2)).toEqual(['110 client closed in order']);
  });

  it('hangs new connections while an address is unreachable', async () => {
    const { clock, log, connect, network } = setUp({ latencyMs: 2 });
    network.setReachable(address, false);
    connect();
    await clock.advance(100);
    expect(log).toEqual([]);
    network.setReachable(address, true);
    connect();
    await clock.advance(100);
    expect(log).toEqual(['102 accepted', '104 open']);
  });

  it('puts back pressure on the writer while the reader is paused', async () => {
    const { clock, log, connect, servers } = setUp({ highWaterMarkBytes: 8, maxChunkBytes: 3 });
    const wire = connect();
    await clock.settle();
    servers[0]!.pause();
    expect(wire.write(Buffer.from('abc'))).toBe(true);
    expect(wire.write(Buffer.from('defghi'))).toBe(false);
    await clock.advance(5);
    expect(log.slice(2)).toEqual([]);
    servers[0]!.resume();
    await clock.settle();
    expect(log.slice(2)).toEqual([
      '5 server got abc',
      '5 server got def',
      '5 client drained',
      '5 server got ghi',
    ]);
  });
});
