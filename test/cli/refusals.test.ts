// What each command refuses before it starts anything.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { broker } from '../../src/cli/broker.ts';
import type { Command } from '../../src/cli/command.ts';
import { EventWriter } from '../../src/cli/event-writer.ts';
import { transactionalCopier } from '../../src/cli/transactional-copier.ts';
import { verifiableConsumer } from '../../src/cli/verifiable-consumer.ts';
import { verifiableProducer } from '../../src/cli/verifiable-producer.ts';
import { UsageError } from '../../src/errors.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { Reader, type Event } from './support/reader.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'sluice-cli-'));
});

afterAll(() => rmSync(dir, { recursive: true }));

interface Outcome {
  readonly code: number | undefined;
  readonly events: Event[];
  readonly notes: string[];
  /** Of the UsageError it ended with. */
  readonly message: string | undefined;
}

async function run(command: Command, args: readonly string[]): Promise<Outcome> {
  const clock = new VirtualClock();
  const reader = new Reader();
  const notes: string[] = [];
  let code: number | undefined;
  let message: string | undefined;
  try {
    code = await command.run(args, {
      clock,
      events: new EventWriter(reader, clock),
      note: (line) => void notes.push(line),
      stop: new AbortController().signal,
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    message = error.message;
  }
  await clock.settle();
  return { code, events: reader.events, notes, message };
}

const server = ['--bootstrap-server', '127.0.0.1:1'];
const producer = [...server, '--topic', 't'];
const consumer = [...server, '--topic', 't', '--group-id', 'g'];
const copier = [
  ...['--broker-list', '127.0.0.1:1', '--input-topic', 'a', '--input-partition', '0'],
  ...['--output-topic', 'b', '--transactional-id', 'x'],
];

describe('a wrong command line', () => {
  it.each<[string, Command, string[], string]>([
    ['broker', broker, ['--port', '65536'], '--port must be a whole number from 0 to 65535'],
    ['broker', broker, ['--port', '65535', '--brokers', '2'], '--port 65535 leaves no room for 2 brokers'],
    ['broker', broker, ['--partitions', 'x'], '--partitions must be a whole number'],
    ['broker', broker, ['--topic', 'a b'], "--topic must be a topic's name"],
    ['broker', broker, ['--topic', '..'], "--topic must be a topic's name"],
    ['broker', broker, ['--topic', 'a:0'], '--topic must be a whole number from 1'],
    ['broker', broker, ['--topic', 'a:1:2'], "--topic must be a topic's name"],
    ['broker', broker, ['--topic', 'a:1', '--topic', 'a:2'], '--topic names the same topic twice'],
    ['broker', broker, ['--auto-create', '--no-auto-create'], '--auto-create and --no-auto-create exclude'],
    ['broker', broker, ['orders'], "'orders' belongs to no option"],
    ['producer', verifiableProducer, server, '--topic is required'],
    ['producer', verifiableProducer, ['--topic', 't'], '--bootstrap-server is required'],
    ['producer', verifiableProducer, [...producer, '--max-messages', 'x'], '--max-messages must be a whole'],
    ['producer', verifiableProducer, [...producer, '--acks', '2'], '--acks must be one of -1, 0, 1'],
    [
      'producer',
      verifiableProducer,
      [...producer, '--repeating-keys', '0'],
      '--repeating-keys must be a whole',
    ],
    ['consumer', verifiableConsumer, producer, '--group-id is required'],
    [
      'consumer',
      verifiableConsumer,
      [...consumer, '--reset-policy', 'x'],
      '--reset-policy must be earliest, latest or by_duration',
    ],
    [
      'consumer',
      verifiableConsumer,
      [...consumer, '--reset-policy', 'by_duration:PT'],
      '--reset-policy must be earliest, latest or by_duration',
    ],
    [
      'consumer',
      verifiableConsumer,
      [...consumer, '--group-protocol', 'x'],
      '--group-protocol must be one of',
    ],
    [
      'consumer',
      verifiableConsumer,
      [...consumer, '--session-timeout', '0'],
      '--session-timeout must be a whole',
    ],
    ['consumer', verifiableConsumer, [...consumer, '--group-instance-id', 'a b'], '--group-instance-id: '],
    [
      'consumer',
      verifiableConsumer,
      ['--topic', 't', '--group-id', 'g', '--broker-list', 'x'],
      '--bootstrap-server: ',
    ],
    [
      'consumer',
      verifiableConsumer,
      [...consumer, '--consumer.config', 'a', '--command-config', 'b'],
      '--consumer.config and --command-config are the same option; give one of them',
    ],
    ['copier', transactionalCopier, copier.slice(0, -2), '--transactional-id is required'],
    [
      'copier',
      transactionalCopier,
      [...copier, '--transaction-size', '0'],
      '--transaction-size must be a whole',
    ],
  ])('of the %s: %#', async (_name, command, args, message) => {
    const outcome = await run(command, args);
    expect(outcome.message).toContain(message);
    expect([outcome.code, outcome.events]).toEqual([undefined, []]);
  });

  it.each([
    ['security.protocol=SASL_SSL', 'sasl.jaas.config is missing'],
    ['security.protocol=SSL\nssl.truststore.location=/no/such', "ssl.truststore.location names '/no/such'"],
    ['transactional.id=x', "transactional.id is 'x': this command makes no transactions"],
    ['linger.ms=x', 'linger.ms must be'],
    ['linger.ms=200000', 'linger.ms: lingerMs'],
    ['bootstrap.servers=nowhere', '--bootstrap-server: brokers[0] must be'],
    ['acks=2', "acks must be all, -1, 0 or 1, not '2'"],
    ['acks=1\nenable.idempotence=true', 'acks: acks'],
  ])('as well as a file with %s', async (text, message) => {
    const file = path.join(dir, 'bad.properties');
    writeFileSync(file, `${text}\n`);
    const outcome = await run(verifiableProducer, [...producer, '--command-config', file]);
    expect(outcome.message).toContain(message);
    expect([outcome.code, outcome.events]).toEqual([undefined, []]);
  });
});

describe('the help', () => {
  it.each([
    ['broker', broker],
    ['verifiable-producer', verifiableProducer],
    ['verifiable-consumer', verifiableConsumer],
    ['transactional-copier', transactionalCopier],
  ])('of %s says how to call it, and fits a terminal', (name, { help }) => {
    expect(help).toMatch(new RegExp(`^Usage: sluice ${name} `));
    expect(help).toContain('  -h, --help');
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(125);
  });
});

describe('what the client cannot do', () => {
  const own = 'com.example.OwnAssignor';
  it.each<[string, Command, string[], string]>([
    [
      own,
      verifiableConsumer,
      [...consumer, '--assignment-strategy', `range,${own}`],
      'cannot run Java classes',
    ],
    ['--reset-policy none', verifiableConsumer, [...consumer, '--reset-policy', 'none'], 'starts somewhere'],
  ])('is refused: %s', async (what, command, args, why) => {
    const { code, events, notes } = await run(command, args);
    expect(code).toBe(1);
    expect(events).toEqual([
      { timestamp: expect.any(Number), name: 'error', exception: 'UNSUPPORTED', message: expect.any(String) },
    ]);
    const message = String(events[0]!['message']);
    expect(message).toContain(what);
    expect(message).toContain(why);
    expect(notes).toEqual([message]);
  });
});
