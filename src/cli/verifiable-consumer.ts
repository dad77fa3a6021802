// `sluice verifiable-consumer`: org.apache.kafka.tools.VerifiableConsumer on this client.

import { GroupConsumer, Kafka, type GroupConsumerOptions } from '../core/index.ts';
import { UsageError } from '../errors.ts';
import { applyConfig, kafkaOptions, withKafkaNames } from './client-config.ts';
import { EXIT_FAILED, EXIT_OK, type Command, type Surroundings } from './command.ts';
import { configSettings, noteIgnored } from './config-options.ts';
import { emptyConfig, type ClientConfig } from './config-table.ts';
import { ConsumeRun } from './consume-run.ts';
import { assignorsOf, DEFAULT_STRATEGY, KNOWN_STRATEGIES, protocolOf } from './group-protocol.ts';
import {
  brokerList,
  choice,
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
import { refuse } from './unsupported.ts';

const MAX_INT32 = 2 ** 31 - 1;
/** ISO-8601, as java.time.Duration reads it. */
const BY_DURATION =
  /^by_duration:P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]+)?)S)?)?$/i;
const UNIT_MS = [86_400_000, 3_600_000, 60_000, 1_000] as const;

const OPTIONS = {
  'bootstrap-server': required(brokerList, 'Some brokers of the cluster.', ['broker-list']),
  topic: required(text('TOPIC'), 'Consume messages from this topic.'),
  'group-id': required(text('GROUP-ID'), 'The consumer group.'),
  'group-protocol': withDefault(
    choice('GROUP-PROTOCOL', ['classic', 'consumer'], true),
    'classic',
    'Group protocol: classic, or consumer (KIP-848), in which the broker divides.',
  ),
  'group-remote-assignor': optional(
    text('GROUP-REMOTE-ASSIGNOR'),
    'How the broker divides, with the group protocol consumer: uniform or range.',
  ),
  'group-instance-id': optional(text('GROUP-INSTANCE-ID'), 'Makes the member a static one, of this name.'),
  'max-messages': withDefault(
    integer('MAX-MESSAGES', -1, MAX_INT32),
    -1,
    'Consume this many messages; -1: until the process is stopped.',
  ),
  'session-timeout': optional(
    integer('TIMEOUT-MS', 1, MAX_INT32),
    "The member's session timeout in milliseconds. Without it, 45000.",
  ),
  verbose: flag('An event for each record.'),
  'enable-autocommit': flag('Commit every five seconds, not after each batch, and report no commits.'),
  'reset-policy': withDefault(
    text('RESET-POLICY'),
    'earliest',
    'Where a partition without a commit starts: earliest, latest, or by_duration:PnDTnHnMnS, so long ago.',
  ),
  'assignment-strategy': withDefault(
    text('ASSIGNMENT-STRATEGY'),
    DEFAULT_STRATEGY,
    "How the group protocol classic divides: Kafka's assignors, by class, in order of preference.",
  ),
  'command-config': optional(
    text('CONFIG-FILE'),
    "Kafka's consumer settings, a properties file; the options win over what it shares with them.",
  ),
  'consumer.config': optional(text('CONFIG-FILE'), "The same, by the name that Kafka's tool has deprecated."),
};

const HELP = `Usage: sluice verifiable-consumer --bootstrap-server HOST:PORT --topic TOPIC --group-id GROUP [options]

Reads a topic as a member of a group, and writes one JSON event a line to standard output, as Kafka's VerifiableConsumer:
startup_complete, partitions_assigned, records_consumed, record_data (with --verbose), offsets_committed,
partitions_revoked, shutdown_requested, shutdown_complete. Each batch is committed before the next one.
SIGINT or SIGTERM commits what was reported, leaves the group and ends.

Options:
${describeOptions(OPTIONS)}`;

type Options = ValuesOf<typeof OPTIONS>;

/** What the options ask for and the client does not have; undefined when there is nothing. */
function missing(options: Options): readonly [what: string, why: string] | undefined {
  const strategy = options['assignment-strategy'];
  const policy = options['reset-policy'];
  if (options['group-protocol'] === 'classic' && assignorsOf(strategy) === undefined)
    return [
      `--assignment-strategy ${strategy}`,
      `the client cannot run Java classes; it has ${KNOWN_STRATEGIES}`,
    ];
  if (policy === 'none')
    return [
      '--reset-policy none',
      'a partition without a commit starts somewhere: earliest, latest, by_duration',
    ];
  return undefined;
}

/** Where partitions without a commit start, and where those go on whose position is gone. */
function startOf(policy: string, nowMs: number): Pick<GroupConsumerOptions, 'from' | 'outOfRange'> {
  if (policy === 'earliest' || policy === 'latest') return { from: policy, outOfRange: policy };
  const [, days, hours, minutes, seconds] = BY_DURATION.exec(policy) ?? [];
  const units = [days, hours, minutes, seconds];
  if (units.every((unit) => unit === undefined))
    throw new UsageError(
      `--reset-policy must be earliest, latest or by_duration:PnDTnHnMnS, not '${policy}'`,
      'reset-policy',
    );
  const byMs = Math.round(units.reduce((sum, unit, at) => sum + Number(unit ?? 0) * UNIT_MS[at]!, 0));
  return { from: { timestamp: Math.max(0, nowMs - byMs) }, outOfRange: { byMs } };
}

const DEFAULT_HEARTBEAT_MS = 3_000;
const DEFAULT_SESSION_MS = 45_000;
const DEFAULT_DRAIN_MS = 30_000;
const DEFAULT_COMMIT_MS = 5_000;

/** With the other protocol the broker sets them. */
function classicTimes(
  options: Options,
  consumer: ClientConfig['consumer'],
): Pick<GroupConsumerOptions, 'sessionTimeoutMs' | 'heartbeatIntervalMs'> {
  const sessionTimeoutMs = options['session-timeout'] ?? consumer.sessionTimeoutMs ?? DEFAULT_SESSION_MS;
  const third = Math.min(DEFAULT_HEARTBEAT_MS, Math.ceil(sessionTimeoutMs / 3));
  return { sessionTimeoutMs, heartbeatIntervalMs: consumer.heartbeatIntervalMs ?? third };
}

function groupOptions(
  options: Options,
  { consumer, maxPollRecords }: ClientConfig,
  nowMs: number,
): GroupConsumerOptions {
  const autoCommit = options['enable-autocommit'];
  const rebalanceTimeoutMs = consumer.rebalanceTimeoutMs!;
  return {
    ...consumer,
    groupId: options['group-id'],
    topics: [options.topic],
    groupInstanceId: options['group-instance-id'],
    ...startOf(options['reset-policy'], nowMs),
    credit: { records: maxPollRecords },
    ...protocolOf(options),
    ...(options['group-protocol'] === 'classic' ? classicTimes(options, consumer) : {}),
    rebalanceTimeoutMs,
    drainTimeoutMs: Math.min(DEFAULT_DRAIN_MS, Math.floor(rebalanceTimeoutMs / 2)),
    commitTimeoutMs: Math.min(DEFAULT_COMMIT_MS, Math.ceil(rebalanceTimeoutMs / 4)),
    commitIntervalMs: autoCommit ? consumer.commitIntervalMs : MAX_INT32,
    commitEveryRecords: MAX_INT32,
  };
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { events, clock, note } = surroundings;
  const options = parseCommandLine(OPTIONS, args);
  const lacking = missing(options);
  if (lacking !== undefined) return refuse(surroundings, ...lacking);
  const config = emptyConfig();
  const files = { old: options['consumer.config'], current: options['command-config'] };
  const settings = await configSettings(files, 'consumer.config', note);
  noteIgnored(applyConfig('consumer', settings, config), note);
  Object.assign(config.kafka, await securityOptions(settings, clock));
  // As in Kafka's tool, the option wins over the file.
  config.kafka.brokers = options['bootstrap-server'];
  const stop = AbortSignal.any([surroundings.stop, events.closed]);
  const kafka = withKafkaNames(
    () =>
      new Kafka(
        kafkaOptions(config, {
          brokers: options['bootstrap-server'],
          clientId: 'sluice-verifiable-consumer',
        }),
      ),
  );
  const consume = new ConsumeRun(
    {
      maxMessages: options['max-messages'],
      maxPollRecords: config.maxPollRecords,
      verbose: options.verbose,
      autoCommit: options['enable-autocommit'],
    },
    events,
    clock,
  );
  const group = withKafkaNames(
    () => new GroupConsumer(kafka.cluster, groupOptions(options, config, clock.wallNow()), consume),
  );
  await consume.run(group, stop);
  await kafka.close();
  if (consume.failure !== undefined) {
    note(consume.failure.message);
    return EXIT_FAILED;
  }
  if (!events.closed.aborted) return EXIT_OK;
  note('nobody reads standard output any more: stopped');
  return EXIT_FAILED;
}

export const verifiableConsumer: Command = { help: HELP, needsArguments: true, run };
