// `sluice transactional-copier`: the options of org.apache.kafka.tools.TransactionalMessageCopier, and a clear refusal.

import type { Command, Surroundings } from './command.ts';
import {
  brokerList,
  describeOptions,
  flag,
  integer,
  parseCommandLine,
  required,
  text,
  withDefault,
} from './options.ts';
import { refuse } from './unsupported.ts';

const MAX_INT32 = 2 ** 31 - 1;

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
    'Copy this many messages, at most up to the end offset at the start; -1: up to that.',
  ),
  'consumer-group': withDefault(text('CONSUMER-GROUP'), '-1', 'The group whose offsets are committed.'),
  'transaction-size': withDefault(
    integer('TRANSACTION-SIZE', 1, MAX_INT32),
    200,
    'Messages in one transaction.',
  ),
  'transaction-timeout': withDefault(
    integer('TRANSACTION-TIMEOUT', 1, MAX_INT32),
    60_000,
    'Milliseconds until the cluster aborts a transaction.',
  ),
  'enable-random-aborts': flag('Abort some transactions by chance, for system tests.'),
  'group-mode': flag('Subscribe to the input topic instead of reading the one partition.'),
  'use-group-metadata': flag("Commit offsets with the group's metadata (KIP-447)."),
};

const HELP = `Usage: sluice transactional-copier --broker-list HOST:PORT --input-topic TOPIC --input-partition N
         --output-topic TOPIC --transactional-id ID [options]

Copies messages and commits their offsets in transactions, as Kafka's TransactionalMessageCopier. The client has no
transactions yet: the options are checked, then the command ends with an error event and exit code 1.

Options:
${describeOptions(OPTIONS)}`;

function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  parseCommandLine(OPTIONS, args);
  return Promise.resolve(
    refuse(
      surroundings,
      'transactional-copier',
      'the command does not do transactions yet; nothing was copied',
    ),
  );
}

export const transactionalCopier: Command = { help: HELP, needsArguments: true, run };
