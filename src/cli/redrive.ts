// `sluice redrive`: writes the records of a dead letter topic back to where they are from.

import {
  GroupConsumer,
  Kafka,
  openPartitions,
  type FetchedRecord,
  type GroupListener,
  type ProducerRecord,
} from '../core/index.ts';
import { UsageError } from '../errors.ts';
import { failureOf, originalHeaders } from '../index.ts';
import { EXIT_FAILED, EXIT_OK, type Command, type Surroundings } from './command.ts';
import {
  brokerList,
  describeOptions,
  flag,
  integer,
  optional,
  parseCommandLine,
  repeatable,
  required,
  text,
  type Kind,
  type ValuesOf,
} from './options.ts';
import { RedriveRun, type Destination, type RedrivePlan } from './redrive-run.ts';

const MAX_INT32 = 2 ** 31 - 1;
const UNIT_MS: { readonly [unit: string]: number } = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const CREDIT_RECORDS = 1_000;
/** One that was killed keeps its partitions from the next for so long. */
const SESSION_MS = 10_000;
const ISO_DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T|$)/;

interface HeaderFilter {
  readonly name: string;
  /** Undefined: any. */
  readonly value: string | undefined;
}

const headerFilter: Kind<HeaderFilter> = {
  metavar: 'NAME[=VALUE]',
  read(given) {
    const at = given.indexOf('=');
    const name = at < 0 ? given : given.slice(0, at);
    if (name === '') throw new UsageError(`must be a header's name, with or without =VALUE, not '${given}'`);
    return { name, value: at < 0 ? undefined : given.slice(at + 1) };
  },
};

/** A point in time, or how long ago. */
interface Since {
  readonly atMs?: number;
  readonly agoMs?: number;
}

const since: Kind<Since> = {
  metavar: 'TIME',
  read(given) {
    const [, count, unit] = /^([0-9]+)([smhd])$/.exec(given) ?? [];
    if (count !== undefined) return { agoMs: Number(count) * UNIT_MS[unit!]! };
    // eslint-disable-next-line no-restricted-globals -- reads a text, and does not tell the time
    const atMs = ISO_DATE.test(given) ? Date.parse(given) : NaN;
    if (Number.isNaN(atMs))
      throw new UsageError(
        `must be a time as 2026-01-31T12:00:00Z, or how long ago as 30m, 2h or 7d, not '${given}'`,
      );
    return { atMs };
  },
};

const OPTIONS = {
  brokers: required(brokerList, 'Some brokers of the cluster.', ['bootstrap-server']),
  from: required(text('TOPIC'), 'The dead letter topic.'),
  to: optional(text('TOPIC'), 'Where to write to. Default: the topic and partition that the headers say.'),
  group: optional(text('GROUP'), 'In whose name offsets are committed. Default: sluice-redrive-TOPIC.'),
  max: optional(integer('N', 1, MAX_INT32), 'Redrive so many records and end.'),
  rate: optional(integer('N', 1, MAX_INT32), 'So many records a second. Default: no limit.'),
  'filter-header': repeatable(
    headerFilter,
    'Only records with this header, and with this value where one is given; all others are passed over and stay in the topic.',
  ),
  since: optional(since, 'Only records that failed at or after this time; all others are passed over.'),
  'keep-headers': flag(
    'Leave the headers that tell of the failure on the records. Default: they are taken off.',
  ),
  'dry-run': flag('Print what would be redriven; write and commit nothing.'),
};

type Options = ValuesOf<typeof OPTIONS>;

const HELP = `Usage: sluice redrive --brokers HOST:PORT --from TOPIC [options]

Writes the records of a dead letter topic back to where they are from: with their key, value, timestamp and headers, to the
topic and partition that the headers of Kafka Streams (KIP-1034), Kafka Connect or Spring Kafka name. Ends at what was the end
of the topic when it began. An offset is committed when its record is acknowledged, so that what is interrupted goes on where
it stood; nothing is deleted. One JSON event a line on standard output: redriven, redrive_failed, would_redrive, summary.

Options:
${describeOptions(OPTIONS)}`;

/** Answers with where a record goes; undefined: it is passed over. */
function chooser(options: Options, nowMs: number): (record: FetchedRecord) => Destination | undefined {
  const { to, since: from } = options;
  const sinceMs = from === undefined ? undefined : (from.atMs ?? nowMs - (from.agoMs ?? 0));
  const filters = options['filter-header'];
  return (record) => {
    const { headers, key, value, timestamp } = record;
    const isAskedFor = filters.every(({ name, value: wanted }) => {
      const found = headers.text(name);
      return wanted === undefined ? found !== undefined : found === wanted;
    });
    if (!isAskedFor) return undefined;
    const failure = failureOf(record);
    if (sinceMs !== undefined && (failure?.failedAt ?? timestamp) < sinceMs) return undefined;
    const kept = options['keep-headers'] ? headers : originalHeaders(record);
    const copy: ProducerRecord = {
      key,
      value,
      headers: kept,
      timestamp: timestamp < 0 ? undefined : timestamp,
    };
    if (to !== undefined) return { topic: to, record: copy };
    if (failure === undefined)
      throw new UsageError(
        `${record.topic}-${record.partition} offset ${record.offset} has no header that says where it is from; say --to`,
        'to',
      );
    const partition = failure.partition < 0 ? undefined : failure.partition;
    return { topic: failure.topic, record: { ...copy, partition } };
  };
}

async function dryRun(
  kafka: Kafka,
  options: Options,
  groupId: string,
  choose: (record: FetchedRecord) => Destination | undefined,
  { events, stop }: Surroundings,
): Promise<object> {
  const { from: topic, max = Infinity } = options;
  let found = 0;
  let skipped = 0;
  const committed = new Map(
    (await kafka.admin().fetchOffsets(groupId))
      .filter((point) => point.topic === topic)
      .map(({ partition, offset }) => [partition, offset]),
  );
  const earliest = await kafka.admin().listOffsets(topic, 'earliest');
  const latest = await kafka.admin().listOffsets(topic, 'latest', { isolationLevel: 'read_committed' });
  for (const { partition, offset: first } of earliest) {
    const from = Math.max(first, committed.get(partition) ?? 0);
    const to = latest.find((one) => one.partition === partition)!.offset;
    if (from >= to || found >= max || stop.aborted) continue;
    const open = await openPartitions(kafka.cluster, {
      topic,
      partitions: [partition],
      from,
      to,
      isolationLevel: 'read_committed',
    });
    const reader = open.readers[0]!;
    try {
      await new Promise<void>((resolve, reject) => {
        stop.addEventListener('abort', () => resolve(), { once: true });
        reader.start({
          onRecord: (record, sequence) => {
            reader.settle(sequence);
            if (found >= max) return;
            const place = { topic, partition, offset: record.offset };
            try {
              const destination = choose(record);
              if (destination === undefined) skipped++;
              else {
                found++;
                const { partition: toPartition } = destination.record;
                events.event('would_redrive', {
                  from: place,
                  to: {
                    topic: destination.topic,
                    ...(toPartition === undefined ? {} : { partition: toPartition }),
                  },
                });
              }
            } catch (cause) {
              reject(cause);
            }
            if (found >= max) resolve();
          },
          onPressure: () => undefined,
          onEnd: resolve,
          onError: reject,
        });
      });
    } finally {
      open.close();
    }
    await events.whenRoom();
  }
  return { redriven: 0, wouldRedrive: found, skipped };
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { events, clock, note } = surroundings;
  const options = parseCommandLine(OPTIONS, args);
  const { from: topic, to, group: groupId = `sluice-redrive-${topic}` } = options;
  if (to === topic)
    throw new UsageError(`--to ${to} is what is read: every record would come again and again`, 'to');
  const choose = chooser(options, clock.wallNow());
  const kafka = new Kafka({ brokers: options.brokers, clientId: 'sluice-redrive' });
  try {
    if (options['dry-run']) {
      events.event('summary', await dryRun(kafka, options, groupId, choose, surroundings));
      return EXIT_OK;
    }
    const ends = await kafka.admin().listOffsets(topic, 'latest', { isolationLevel: 'read_committed' });
    const plan: RedrivePlan = {
      maxRecords: options.max ?? -1,
      rate: options.rate ?? -1,
      ends: new Map(ends.map(({ partition, offset }) => [partition, offset])),
      destination: choose,
      committed: async () => {
        const points = await kafka.admin().fetchOffsets(groupId);
        return new Map(
          points.filter((point) => point.topic === topic).map(({ partition, offset }) => [partition, offset]),
        );
      },
    };
    const producer = kafka.producer();
    const redrive = new RedriveRun(plan, producer, events, clock);
    const listener: GroupListener = redrive;
    const group = new GroupConsumer(
      kafka.cluster,
      {
        groupId,
        topics: [topic],
        isolationLevel: 'read_committed',
        credit: { records: CREDIT_RECORDS },
        sessionTimeoutMs: SESSION_MS,
      },
      listener,
    );
    await redrive.run(group, AbortSignal.any([surroundings.stop, events.closed]));
    await producer.close();
    const { redriven, skipped, failure } = redrive;
    events.event('summary', { redriven, skipped });
    if (failure === undefined) return EXIT_OK;
    note(failure.message);
    return EXIT_FAILED;
  } finally {
    await kafka.close();
  }
}

export const redrive: Command = { help: HELP, needsArguments: true, run };
