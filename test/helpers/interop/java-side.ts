// Java's side of an exchange: Kafka's console tools, and a program for what they cannot write or show.
import path from 'node:path';
import type { CodecName } from '../../../src/core/compression/codec.ts';
import { lines, run, runJava } from '../../testing/broker/command.ts';
import { javaAnswers, kafkaLib } from '../kafka/jars.ts';
import type { Sample } from './sample.ts';

/** The folder with Kafka's jars, undefined where there are none or no Java to run them. */
export const lib = process.env['KAFKA_LIB'] !== undefined && javaAnswers() ? kafkaLib() : undefined;

const PROGRAM = path.join(__dirname, 'java', 'Interop.java');

function program(args: readonly string[], input?: string): Promise<string> {
  const quiet = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return run('java', [...quiet, '-cp', path.join(lib!, '*'), PROGRAM, ...args], input);
}

const encode = (data: Buffer | null): string => data?.toString('base64') ?? '~';
const decode = (text: string): Buffer | null => (text === '~' ? null : Buffer.from(text, 'base64'));

/** What one topic is to hold. */
export interface Written {
  readonly topic: string;
  readonly codec: CodecName;
  readonly samples: readonly Sample[];
}

/** Writes with Java's producer, idempotently. */
export async function write(bootstrap: string, list: readonly Written[]): Promise<void> {
  const input = list.flatMap(({ topic, codec, samples }) =>
    samples.map(({ partition, timestamp, key, value, headers }) =>
      [
        ...[codec, topic, partition, timestamp, encode(key), encode(value)],
        headers.map(([name, one]) => `${encode(Buffer.from(name))}:${encode(one)}`).join(','),
      ].join('\t'),
    ),
  );
  await program(['write', bootstrap], `${input.join('\n')}\n`);
}

/** Writes a record for each key; answers with the partitions that Java's default partitioner chose. */
export async function route(bootstrap: string, topic: string, keys: readonly Buffer[]): Promise<number[]> {
  const input = keys.map((key) => ['none', topic, '-', '-', encode(key), encode(key), ''].join('\t'));
  return lines(await program(['write', bootstrap], `${input.join('\n')}\n`)).map(Number);
}

/** All that topics hold, by topic. */
export async function read(bootstrap: string, topics: readonly string[]): Promise<Map<string, Sample[]>> {
  const found = new Map<string, Sample[]>(topics.map((topic) => [topic, []]));
  for (const line of lines(await program(['read', bootstrap, ...topics]))) {
    const [topic, partition, timestamp, key, value, headers] = line.split('\t');
    found.get(topic!)!.push({
      partition: Number(partition),
      timestamp: Number(timestamp),
      key: decode(key!),
      value: decode(value!),
      headers: (headers === '' ? [] : headers!.split(',')).map((header) => {
        const [name, one] = header.split(':');
        return [decode(name!)!.toString(), decode(one!)] as const;
      }),
    });
  }
  return found;
}

/** What a group has committed, by partition. */
export async function commits(bootstrap: string, group: string, topic: string): Promise<number[]> {
  const found: number[] = [];
  for (const line of lines(await program(['commits', bootstrap, group, topic]))) {
    const [partition, offset] = line.split('\t').map(Number);
    found[partition!] = offset!;
  }
  return found;
}

const text = (data: Buffer | null): string => data?.toString() ?? 'NULL';

/** Writes with the console producer: lines of headers, key and value. Partition and time are its own. */
export async function consoleWrite(
  bootstrap: string,
  topic: string,
  list: readonly Sample[],
  codec: CodecName,
): Promise<void> {
  const input = list.map(({ key, value, headers }) => {
    const named = headers.map(([name, one]) => `${name}:${text(one)}`).join(',');
    // A marker of null is the only way to say that there are no headers at all.
    return [headers.length === 0 ? 'NULL' : named, text(key), text(value)].join('\t');
  });
  const reader = ['parse.headers=true', 'parse.key=true', 'null.marker=NULL'];
  await runJava(
    lib!,
    'org.apache.kafka.tools.ConsoleProducer',
    [
      ...['--bootstrap-server', bootstrap, '--topic', topic, '--compression-codec', codec],
      ...reader.flatMap((property) => ['--reader-property', property]),
    ],
    `${input.join('\n')}\n`,
  );
}

/** Reads the first `count` records of every topic of the pattern with the console consumer, as the lines it prints. */
export async function consoleRead(
  bootstrap: string,
  pattern: string,
  group: string,
  count: number,
): Promise<string[]> {
  const formatter = ['print.timestamp', 'print.partition', 'print.headers', 'print.key'];
  const printed = await runJava(lib!, 'org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', bootstrap, '--include', pattern, '--group', group, '--from-beginning'],
    ...['--max-messages', String(count), '--timeout-ms', '120000'],
    ...formatter.flatMap((name) => ['--formatter-property', `${name}=true`]),
    ...['--formatter-property', 'null.literal=NULL', '--formatter-property', 'key.separator=\t'],
  ]);
  return lines(printed);
}

/** The line that the console consumer prints for a sample. */
export function consoleLine({ partition, timestamp, key, value, headers }: Sample): string {
  const named = headers.map(([name, one]) => `${name}:${text(one)}`).join(',');
  const shown = named === '' ? 'NO_HEADERS' : named;
  return [`CreateTime:${timestamp}`, `Partition:${partition}`, shown, text(key), text(value)].join('\t');
}
