// The commands as processes, against the broker in the box.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/index.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { sluice, type Tool } from './support/tool.ts';

let box: BrokerBox;
let server: string[];
let dir: string;
const running: Tool[] = [];

/** A command that does not outlive its test. */
function start(...args: string[]): Tool {
  const tool = sluice(...args);
  running.push(tool);
  return tool;
}

async function finished(...args: string[]): Promise<Tool & { code: number | null }> {
  const tool = start(...args);
  const code = await tool.exited;
  return Object.assign(tool, { code });
}

beforeAll(async () => {
  box = await createBroker({ topics: { spare: 1 }, autoCreateTopics: false });
  server = ['--bootstrap-server', box.bootstrap.join(',')];
  dir = mkdtempSync(path.join(os.tmpdir(), 'sluice-cli-'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((tool) => tool.end('SIGKILL')));
});

afterAll(async () => {
  rmSync(dir, { recursive: true });
  await box.close();
  expect(box.internalErrors).toEqual([]);
});

async function records(topic: string, partitions: number): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: partitions }, (_, at) => box.records(topic, at)));
  return all.flat().map(({ value }) => value!.toString());
}

describe('sluice', () => {
  it('alone says what there is, and that a command is missing', async () => {
    const { code, lines, errors } = await finished();
    expect([code, lines]).toEqual([1, []]);
    for (const name of ['broker', 'verifiable-producer', 'verifiable-consumer', 'transactional-copier'])
      expect(errors).toContain(`  ${name} `);
  });

  it('does not know other commands', async () => {
    const { code, errors } = await finished('brokr');
    expect([code, errors.split('\n')[0]]).toEqual([1, "There is no command 'brokr'."]);
  });

  it('has help for each of its commands, on standard output', async () => {
    const { code, lines, errors } = await finished('broker', '--help');
    expect([code, errors]).toEqual([0, '']);
    expect(lines[0]).toBe('Usage: sluice broker [options]');
  });

  it('says its version', async () => {
    const { code, lines } = await finished('--version');
    expect([code, lines]).toEqual([0, [expect.stringMatching(/^\d+\.\d+\.\d+/)]]);
  });
});

describe('sluice broker', () => {
  it('prints its addresses alone, serves clients, and ends within a second of a signal', async () => {
    const tool = start(
      'broker',
      '--port',
      '0',
      '--brokers',
      '3',
      '--topic',
      'orders:4',
      '--topic',
      'plain',
      '--partitions',
      '2',
    );
    await tool.until('its address', () => tool.lines.length > 0);
    expect(tool.lines).toEqual([expect.stringMatching(/^(127\.0\.0\.1:\d+,){2}127\.0\.0\.1:\d+$/)]);
    const kafka = new Kafka({ brokers: tool.lines[0]!.split(',') });
    const admin = kafka.admin();
    const listed = await admin.describeTopics(['orders', 'plain']);
    expect(listed.map(({ name, partitions }) => [name, partitions.length])).toEqual([
      ['orders', 4],
      ['plain', 2],
    ]);
    const producer = kafka.producer();
    await producer.sendAsync('made-by-asking', { value: 'x' });
    await producer.close();
    // While a client is connected.
    expect(await tool.end('SIGTERM')).toBe(0);
    expect([tool.errors, tool.lines.length]).toEqual(['', 1]);
    await kafka.close();
  });

  it('creates no topics when it is told not to, and SIGINT ends it too', async () => {
    const tool = start('broker', '--port=0', '--no-auto-create');
    await tool.until('its address', () => tool.lines.length > 0);
    const kafka = new Kafka({ brokers: [tool.lines[0]!] });
    const producer = kafka.producer({ metadataTimeoutMs: 500 });
    await expect(producer.sendAsync('absent', { value: 'x' })).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION');
    await producer.close();
    await kafka.close();
    expect(await tool.end('SIGINT')).toBe(0);
  });

  it('takes records for ever, and forgets the oldest at its bound of memory', async () => {
    const tool = start('broker', '--port', '0', '--topic', 't', '--max-log-bytes', '16777216');
    await tool.until('its address', () => tool.lines.length > 0);
    const kafka = new Kafka({ brokers: [tool.lines[0]!] });
    const producer = kafka.producer();
    for (let at = 0; at < 40; at++) await producer.sendAsync('t', { value: 'x'.repeat(900_000) });
    const admin = kafka.admin();
    const [latest] = await admin.listOffsets('t', 'latest');
    const [earliest] = await admin.listOffsets('t', 'earliest');
    expect(latest!.offset).toBe(40);
    expect(earliest!.offset).toBeGreaterThanOrEqual(20);
    await producer.close();
    await kafka.close();
    expect(await tool.end('SIGTERM')).toBe(0);
  });

  it('goes on when whoever read its address has closed the pipe', async () => {
    const tool = start('broker', '--port', '0');
    await tool.until('its address', () => tool.lines.length > 0);
    tool.process.stdout!.destroy();
    const kafka = new Kafka({ brokers: [tool.lines[0]!] });
    expect(await kafka.admin().listTopics()).toEqual([]);
    await kafka.close();
    expect(await tool.end('SIGTERM')).toBe(0);
  });

  it('says which port is in use, and what to do', async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as net.AddressInfo;
    const { code, lines, errors } = await finished('broker', '--port', String(port));
    taken.close();
    expect([code, lines]).toEqual([2, []]);
    expect(errors).toBe(
      `sluice broker: port ${port} on 127.0.0.1 is in use; take another one with --port, or any free one with --port 0\n`,
    );
  });

  it('warns when it listens to other machines', async () => {
    const tool = start('broker', '--port', '0', '--host', '0.0.0.0');
    await tool.until('its address', () => tool.lines.length > 0);
    expect(tool.lines[0]).toMatch(/^0\.0\.0\.0:\d+$/);
    expect(tool.errors).toContain('warning: --host 0.0.0.0 is not loopback');
    expect(await tool.end()).toBe(0);
  });
});

describe('broker --advertised-host', () => {
  it('is what clients are told, wherever it listens', async () => {
    const tool = start('broker', '--port', '0', '--host', '0.0.0.0', '--advertised-host', 'localhost');
    await tool.until('its address', () => tool.lines.length > 0);
    expect(tool.lines[0]).toMatch(/^localhost:\d+$/);
    expect(tool.errors).not.toContain('clients are sent to');
    expect(await tool.end()).toBe(0);
  });
});

describe('a command that cannot be', () => {
  it('is explained on standard error, with exit code 1', async () => {
    const { code, lines, errors } = await finished('broker', '--brokers', '0');
    expect([code, lines]).toEqual([1, []]);
    expect(errors).toBe(
      "sluice broker: --brokers must be a whole number from 1 to 100, not '0'\n'sluice broker --help' lists the options.\n",
    );
  });

  it('yet, because the client does not have it, is an event too', async () => {
    const args = ['--topic', 'spare', '--group-id', 'g', '--assignment-strategy', 'com.example.Own'];
    const { code, events, errors } = await finished('verifiable-consumer', ...server, ...args);
    expect(code).toBe(1);
    expect(events.map(({ name }) => name)).toEqual(['error']);
    expect(errors).toBe(`sluice verifiable-consumer: ${events[0]!['message']}\n`);
  });
});

describe('sluice verifiable-producer and verifiable-consumer', () => {
  it('write and read a topic', async () => {
    box.createTopic('both', 3);
    const producer = await finished(
      'verifiable-producer',
      ...server,
      '--topic',
      'both',
      '--max-messages',
      '300',
    );
    expect(producer.code).toBe(0);
    expect(producer.errors).toBe('');
    expect(producer.events.at(0)).toEqual({ timestamp: expect.any(Number), name: 'startup_complete' });
    expect(
      producer
        .named('producer_send_success')
        .map(({ value }) => Number(value))
        .sort((a, b) => a - b),
    ).toEqual([...Array(300).keys()]);
    expect(producer.events.slice(-2)).toEqual([
      { timestamp: expect.any(Number), name: 'shutdown_complete' },
      {
        timestamp: expect.any(Number),
        name: 'tool_data',
        sent: 300,
        acked: 300,
        target_throughput: -1,
        avg_throughput: expect.any(Number),
      },
    ]);
    const group = ['--group-id', 'both', '--max-messages', '300', '--verbose'];
    const consumer = await finished('verifiable-consumer', ...server, '--topic', 'both', ...group);
    expect([consumer.code, consumer.errors]).toEqual([0, '']);
    expect(
      consumer
        .named('record_data')
        .map(({ value }) => value)
        .sort(),
    ).toEqual((await records('both', 3)).sort());
    expect([0, 1, 2].reduce((sum, at) => sum + (box.committed('both', 'both', at)?.offset ?? 0), 0)).toBe(
      300,
    );
    expect(box.group('both')).toMatchObject({ members: [] });
  });

  it('stopped in the middle: what was acknowledged is there, what was committed was reported', async () => {
    box.createTopic('middle', 2);
    const keyed = ['--throughput', '2000', '--repeating-keys', '16'];
    const producer = start('verifiable-producer', ...server, '--topic', 'middle', ...keyed);
    const group = ['--group-id', 'middle', '--reset-policy', 'earliest'];
    const consumer = start('verifiable-consumer', ...server, '--topic', 'middle', ...group);
    await producer.until('some messages', () => producer.named('producer_send_success').length > 1_000);
    await consumer.until('some batches', () => consumer.named('offsets_committed').length > 3);
    expect(await Promise.all([producer.end('SIGTERM'), consumer.end('SIGINT')])).toEqual([0, 0]);
    const acked = producer.named('producer_send_success').map(({ value }) => value as string);
    expect((await records('middle', 2)).sort()).toEqual(acked.sort());
    expect(producer.events.at(-1)).toMatchObject({
      name: 'tool_data',
      sent: acked.length,
      acked: acked.length,
    });
    expect(consumer.events.at(-1)!.name).toBe('shutdown_complete');
    const names = consumer.events.map(({ name }) => name);
    expect(
      names.slice(names.indexOf('shutdown_requested')).filter((name) => name !== 'offsets_committed'),
    ).toEqual(['shutdown_requested', 'partitions_revoked', 'shutdown_complete']);
    for (const partition of [0, 1]) {
      const reported = consumer
        .named('records_consumed')
        .flatMap(({ partitions }) => partitions as { partition: number; maxOffset: number }[])
        .findLast((one) => one.partition === partition)!;
      expect(box.committed('middle', 'middle', partition)?.offset).toBe(reported.maxOffset + 1);
    }
  });

  it('with a broker that is away say so and end', async () => {
    writeFileSync(
      path.join(dir, 'short.properties'),
      'default.api.timeout.ms=1500\nmax.block.ms=1500\ndelivery.timeout.ms=1500\nsocket.connection.setup.timeout.ms=500\n',
    );
    const away = [
      '--bootstrap-server',
      '127.0.0.1:1',
      '--command-config',
      path.join(dir, 'short.properties'),
    ];
    const producer = await finished('verifiable-producer', ...away, '--topic', 't', '--max-messages', '2');
    expect(producer.code).toBe(0);
    expect(producer.named('producer_send_error')).toHaveLength(2);
    expect(producer.named('producer_send_error')[0]!['message']).toContain('127.0.0.1:1');
    expect(producer.events.at(-1)).toMatchObject({ sent: 2, acked: 0, avg_throughput: 0 });
    const consumer = await finished('verifiable-consumer', ...away, '--topic', 't', '--group-id', 'g');
    expect(consumer.code).toBe(2);
    expect(consumer.events.map(({ name }) => name)).toEqual([
      'startup_complete',
      'error',
      'shutdown_complete',
    ]);
    expect(consumer.errors).toContain('127.0.0.1:1');
  });

  it('end when nobody reads what they say, without an endless error', async () => {
    box.createTopic('unread', 1);
    const producer = start('verifiable-producer', ...server, '--topic', 'unread');
    await producer.until('some messages', () => producer.events.length > 10);
    producer.process.stdout!.destroy();
    expect(await producer.exited).toBe(2);
    expect(producer.errors).toBe(
      'sluice verifiable-producer: nobody reads standard output any more: stopped\n',
    );
    const consumer = start(
      'verifiable-consumer',
      ...server,
      '--topic',
      'unread',
      '--group-id',
      'unread',
      '--verbose',
    );
    await consumer.until('some records', () => consumer.events.length > 2);
    consumer.process.stdout!.destroy();
    expect(await consumer.exited).toBe(2);
    expect(box.group('unread')).toMatchObject({ members: [] });
  });

  it('end at once at the second signal', async () => {
    const away = ['--bootstrap-server', '127.0.0.1:1'];
    const producer = start('verifiable-producer', ...away, '--topic', 't', '--max-messages', '1');
    await producer.until('its start', () => producer.events.length > 0);
    producer.process.kill('SIGINT');
    const seen = producer.events.length;
    expect(seen).toBe(1);
    const second = setInterval(() => producer.process.kill('SIGINT'), 50);
    expect(await producer.exited).toBe(130);
    clearInterval(second);
    expect(producer.errors).toContain('SIGINT came again: ended at once');
  });

  it('keep a member static that has a name of its own', async () => {
    box.createTopic('static', 1);
    const named = ['--topic', 'static', '--group-id', 'static', '--group-instance-id', 'one'];
    const consumer = start('verifiable-consumer', ...server, ...named);
    await consumer.until('its assignment', () => consumer.named('partitions_assigned').length > 0);
    expect(await consumer.end()).toBe(0);
    expect(box.group('static')?.members.map(({ instanceId }) => instanceId)).toEqual(['one']);
  });
});

describe('a configuration file', () => {
  it("sets what the client has, names what it leaves out, and wins over the producer's options", async () => {
    box.createTopic('config', 1);
    const file = path.join(dir, 'producer.properties');
    writeFileSync(
      file,
      'compression.type=gzip\nclient.id=from-file\nmetrics.num.samples=3\nrequest.timeout.ms=30000\nacks=all\n',
    );
    const args = ['--topic', 'config', '--max-messages', '20', '--acks', '1', '--producer.config', file];
    const tool = await finished('verifiable-producer', ...server, ...args);
    expect(tool.code).toBe(0);
    expect(tool.errors.split('\n')).toEqual([
      'sluice verifiable-producer: --producer.config is deprecated in Kafka; --command-config takes the same file',
      'sluice verifiable-producer: warning: the client has no equivalent of the setting metrics.num.samples; left out',
      '',
    ]);
    expect(await records('config', 1)).toHaveLength(20);
    expect(box.requests('Produce').some(({ clientId }) => clientId === 'from-file')).toBe(true);
  });
});
