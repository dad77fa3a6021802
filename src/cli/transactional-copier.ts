// `sluice transactional-copier`: org.apache.kafka.tools.TransactionalMessageCopier on this client.

import { Kafka } from '../core/index.ts';
import { applyConfig, kafkaOptions, readConfigFile, withKafkaNames } from './client-config.ts';
import { EXIT_FAILED, EXIT_OK, type Command, type Surroundings } from './command.ts';
import { noteIgnored } from './config-options.ts';
import { emptyConfig, type ClientConfig } from './config-table.ts';
import { GroupSource } from './copy-group.ts';
import { PartitionSource } from './copy-partition.ts';
import { CopyRun } from './copy-run.ts';
import type { CopySource } from './copy-source.ts';
import {
  brokerList,
  describeOptions,
  flag,
  integer,
  optional,
  parseCommandLine,
  required,
  text,
  withDefault,
  type ValuesOf,
} from './options.ts';
import { securityOptions } from './security.ts';

const MAX_INT32 = 2 ** 31 - 1;
/** So that a transaction has several batches in flight, as in Kafka's tool. */
const BATCH_BYTES = 512;
const MAX_POLL_INTERVAL_MS = 180_000;
const CLOSE_MS = 30_000;

const OPTIONS = {
  'broker-list': required(brokerList, 'Some brokers of the cluster.', ['bootstrap-server']),
  'input-topic': required(text('INPUT-TOPIC'), 'Consume messages from this topic.'),
  'input-partition': required(
    integer('INPUT-PARTITION', 0, MAX_INT32),
    'Consume messages from this partition of the input topic.',
  ),
  'output-topic': required(text('OUTPUT-TOPIC'), 'Produce messages to this topic.'),
  'transactional-id': required(text('TRANSACTIONAL-ID'), "The producer's transactional id."),
  'max-messages': withDefault(
    integer('MAX-MESSAGES', -1, MAX_INT32),
    -1,
    'Copy about this many messages, at most up to the end offset at the start; -1: up to that.',
  ),
  'consumer-group': withDefault(text('CONSUMER-GROUP'), '-1', 'The group whose offsets are committed.'),
  'transaction-size': withDefault(
    integer('TRANSACTION-SIZE', 1, MAX_INT32),
    200,
    'Messages in one transaction, at most.',
  ),
  'transaction-timeout': withDefault(
    integer('TRANSACTION-TIMEOUT', 1, MAX_INT32),
    60_000,
    'Milliseconds until the cluster aborts a transaction.',
  ),
  'enable-random-aborts': flag('Abort every third transaction by chance, for system tests.'),
  'group-mode': flag('Subscribe to the input topic instead of reading the one partition.'),
  'use-group-metadata': flag("Commit offsets with the group's metadata (KIP-447)."),
  'command-config': optional(
    text('CONFIG-FILE'),
    "Kafka's settings of clients, a properties file; the options win over it. Kafka's own tool has none.",
  ),
};

const HELP = `Usage: sluice transactional-copier --broker-list HOST:PORT --input-topic TOPIC --input-partition N
         --output-topic TOPIC --transactional-id ID [options]

Copies messages with their keys, partition to partition of the same number, and commits their offsets, all in transactions;
one JSON object a line on standard output, as Kafka's TransactionalMessageCopier: transactionalId, stage (ProcessLoop,
RebalanceComplete, ShutdownComplete), time, totalProcessed, consumed, remaining. Ends when nothing remains. SIGINT or SIGTERM
ends it after the transaction that is open.

Options:
${describeOptions(OPTIONS)}`;

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { events, clock, note } = surroundings;
  const options = parseCommandLine(OPTIONS, args);
  const config = emptyConfig();
  config.consumer.rebalanceTimeoutMs = MAX_POLL_INTERVAL_MS;
  const file = options['command-config'];
  const settings = file === undefined ? new Map<string, string>() : await readConfigFile(file);
  settings.delete('transactional.id');
  const ofConsumer = applyConfig('consumer', settings, config);
  noteIgnored(
    applyConfig('producer', settings, config).filter((name) => ofConsumer.includes(name)),
    note,
  );
  Object.assign(config.kafka, await securityOptions(settings, clock));
  config.kafka.brokers = options['broker-list'];
  const kafka = withKafkaNames(
    () =>
      new Kafka(
        kafkaOptions(config, {
          brokers: options['broker-list'],
          clientId: `sluice-transactional-copier-${options['transactional-id']}`,
        }),
      ),
  );
  const producer = withKafkaNames(() =>
    kafka.producer({
      batchBytes: BATCH_BYTES,
      ...config.producer,
      transactionalId: options['transactional-id'],
      transactionTimeoutMs: options['transaction-timeout'],
    }),
  );
  const stop = AbortSignal.any([surroundings.stop, events.closed]);
  const copy = new CopyRun(
    {
      transactionalId: options['transactional-id'],
      outputTopic: options['output-topic'],
      transactionSize: options['transaction-size'],
      abortsAtRandom: options['enable-random-aborts'],
    },
    producer,
    events,
    { clock, random: kafka.cluster.random },
  );
  let source: CopySource | undefined;
  try {
    // First: it ends what a killed run of this id left open, and its offsets are waited for.
    await producer.init();
    source = await startSource(kafka, options, config.consumer, copy, surroundings);
    await copy.run(source, stop);
  } finally {
    await Promise.allSettled([producer.close({ timeoutMs: CLOSE_MS }), source?.close()]);
    await kafka.close();
    copy.say('ShutdownComplete');
  }
  if (!events.closed.aborted) return EXIT_OK;
  note('nobody reads standard output any more: stopped');
  return EXIT_FAILED;
}

async function startSource(
  kafka: Kafka,
  options: ValuesOf<typeof OPTIONS>,
  consumer: ClientConfig['consumer'],
  copy: CopyRun,
  { clock }: Surroundings,
): Promise<CopySource> {
  const plan = {
    topic: options['input-topic'],
    groupId: options['consumer-group'],
    pollRecords: options['transaction-size'],
    consumer,
  };
  if (options['group-mode']) {
    const usesMetadata = options['use-group-metadata'];
    const source = new GroupSource(kafka, { ...plan, usesMetadata }, clock, (remaining) =>
      copy.rebalanced(remaining),
    );
    source.start();
    return source;
  }
  const partition = options['input-partition'];
  const { source, remaining } = await PartitionSource.start(kafka, { ...plan, partition }, clock);
  const most = options['max-messages'];
  copy.remaining = most === -1 ? remaining : Math.min(remaining, most);
  return source;
}

export const transactionalCopier: Command = { help: HELP, needsArguments: true, run };
