// `sluice verifiable-producer`: org.apache.kafka.tools.VerifiableProducer on this client.

import { Kafka } from '../core/index.ts';
import { applyConfig, kafkaOptions, withKafkaNames } from './client-config.ts';
import { EXIT_FAILED, EXIT_OK, type Command, type Surroundings } from './command.ts';
import { configSettings, noteIgnored } from './config-options.ts';
import { emptyConfig, setAcks } from './config-table.ts';
import {
  brokerList,
  choice,
  describeOptions,
  integer,
  optional,
  parseCommandLine,
  required,
  text,
  withDefault,
} from './options.ts';
import { ProduceRun } from './produce-run.ts';
import { securityOptions } from './security.ts';

const MAX_INT32 = 2 ** 31 - 1;
const ACKS = { '-1': -1, '0': 0, '1': 1 } as const;

const OPTIONS = {
  'bootstrap-server': required(brokerList, 'Some brokers of the cluster.', ['broker-list']),
  topic: required(text('TOPIC'), 'Produce messages to this topic.'),
  'max-messages': withDefault(
    integer('MAX-MESSAGES', -1, MAX_INT32),
    -1,
    'Produce this many messages; -1: until the process is stopped.',
  ),
  throughput: withDefault(
    integer('THROUGHPUT', -1, MAX_INT32),
    -1,
    'Messages per second at most, over the run; -1: no limit.',
  ),
  acks: withDefault(
    choice('ACKS', ['-1', '0', '1']),
    '-1',
    'Acknowledgements to wait for: -1, all in-sync replicas; 1, the leader; 0, none. With less than all the producer is not idempotent.',
  ),
  'message-create-time': withDefault(
    integer('CREATE-TIME', -1, Number.MAX_SAFE_INTEGER),
    -1,
    'Timestamp of the first message, in milliseconds since 1970; the others go on from there. -1: now.',
  ),
  'value-prefix': optional(
    integer('VALUE-PREFIX', -MAX_INT32 - 1, MAX_INT32),
    'Each value has this prefix with a dot as separator.',
  ),
  'repeating-keys': optional(
    integer('REPEATING-KEYS', 1, MAX_INT32),
    'Each message has a key: 0, 1 and so on below this number, and from 0 again. Without it, none.',
  ),
  'command-config': optional(
    text('CONFIG-FILE'),
    "Kafka's producer settings, a properties file; what it shares with the options wins over them.",
  ),
  'producer.config': optional(text('CONFIG-FILE'), "The same, by the name that Kafka's tool has deprecated."),
};

const PAST_DEADLINES_MS = 10_000;

const HELP = `Usage: sluice verifiable-producer --bootstrap-server HOST:PORT --topic TOPIC [options]

Writes increasing integers to a topic, and one JSON event a line to standard output, as Kafka's VerifiableProducer:
startup_complete, producer_send_success or producer_send_error for each message, shutdown_complete, tool_data.
SIGINT or SIGTERM stops sending, waits for the answers that are due, and ends with the last two.

Options:
${describeOptions(OPTIONS)}`;

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { events, clock, note } = surroundings;
  const options = parseCommandLine(OPTIONS, args);
  const { topic, throughput, acks } = options;
  const config = emptyConfig();
  const files = { old: options['producer.config'], current: options['command-config'] };
  const settings = await configSettings(files, 'producer.config', note);
  noteIgnored(applyConfig('producer', settings, config), note);
  // As in Kafka's tool, the file's acks win over the option's.
  if (!settings.has('acks')) setAcks(config.producer, ACKS[acks as keyof typeof ACKS]);
  Object.assign(config.kafka, await securityOptions(settings, clock));
  const stop = AbortSignal.any([surroundings.stop, events.closed]);
  const kafka = withKafkaNames(
    () =>
      new Kafka(
        kafkaOptions(config, {
          brokers: options['bootstrap-server'],
          clientId: 'sluice-verifiable-producer',
        }),
      ),
  );
  const producer = withKafkaNames(() => kafka.producer(config.producer));
  const startMs = clock.now();
  const createTime = options['message-create-time'];
  const produce = new ProduceRun(
    {
      topic,
      throughput,
      maxMessages: options['max-messages'],
      createTimeMs: createTime === -1 ? undefined : createTime,
      valuePrefix: options['value-prefix'],
      repeatingKeys: options['repeating-keys'],
    },
    producer,
    events,
    clock,
  );
  events.event('startup_complete');
  await produce.send(stop);
  // Each message has its outcome, and what hindered it, by its delivery deadline at the latest: the producer's own end must not come before that.
  await producer.close({ timeoutMs: producer.settings.deliveryTimeoutMs + PAST_DEADLINES_MS });
  events.event('shutdown_complete');
  events.event('tool_data', {
    sent: produce.sent,
    acked: produce.acked,
    target_throughput: throughput,
    avg_throughput: produce.averageSince(startMs),
  });
  await kafka.close();
  if (!events.closed.aborted) return EXIT_OK;
  note('nobody reads standard output any more: stopped');
  return EXIT_FAILED;
}

export const verifiableProducer: Command = { help: HELP, needsArguments: true, run };
