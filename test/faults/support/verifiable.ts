// Kafka's verifiable consumers, Java's and ours, and what Kafka's own system tests hold them to. Pure functions over the events they print.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { bundled } from '../../helpers/bundle.ts';

export type Program = 'java' | 'sluice';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** A line of either program. */
export interface VerifiableEvent {
  readonly name: string;
  readonly timestamp: number;
  /** Of what was assigned, revoked, or consumed. */
  readonly partitions?: readonly (Place & {
    readonly minOffset?: number;
    readonly maxOffset?: number;
    readonly count?: number;
  })[];
  readonly offsets?: readonly (Place & { readonly offset: number })[];
  readonly success?: boolean;
  readonly error?: string;
  readonly exception?: string;
  readonly message?: string;
}

export interface ConsumerSetting {
  readonly brokers: readonly string[];
  readonly lib: string;
  readonly topic: string;
  readonly groupId: string;
  /** Undefined where the broker chooses it. */
  readonly sessionTimeoutMs: number | undefined;
  /** Further options of both programs. */
  readonly options: readonly string[];
}

/** A verifiable consumer in a process of its own. */
export class VerifiableConsumer {
  readonly name: string;
  readonly program: Program;
  readonly process: ChildProcess;
  readonly events: VerifiableEvent[] = [];
  readonly exited: Promise<number | null>;
  endedAt: number | undefined;
  errors = '';

  constructor(
    name: string,
    program: Program,
    { brokers, lib, topic, groupId, sessionTimeoutMs, options }: ConsumerSetting,
  ) {
    this.name = name;
    this.program = program;
    const args = [
      ...['--bootstrap-server', brokers.join(','), '--topic', topic, '--group-id', groupId],
      ...(sessionTimeoutMs === undefined ? [] : ['--session-timeout', String(sessionTimeoutMs)]),
      ...['--reset-policy', 'earliest', ...options],
    ];
    const quiet = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
    this.process =
      program === 'java'
        ? spawn('java', [
            ...quiet,
            '-cp',
            path.join(lib, '*'),
            'org.apache.kafka.tools.VerifiableConsumer',
            ...args,
          ])
        : spawn(process.execPath, [
            bundled(path.join('src', 'cli', 'main.ts')),
            'verifiable-consumer',
            ...args,
          ]);
    this.process.stderr!.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-4_000);
    });
    readline.createInterface({ input: this.process.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.events.push(JSON.parse(line) as VerifiableEvent);
    });
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code) => {
        this.endedAt ??= Date.now();
        resolve(code);
      });
    });
  }

  get isRunning(): boolean {
    return this.endedAt === undefined;
  }

  get hasStarted(): boolean {
    return this.events.length > 0;
  }
}

export interface Checked {
  readonly violations: readonly string[];
  readonly records: number;
  readonly commits: number;
  readonly assignments: number;
}

const keyOf = ({ topic, partition }: Place): string => `${topic}-${partition}`;

/** What Kafka's `verifiable_consumer.py` asserts of one consumer's events. */
export function checkConsumer(name: string, events: readonly VerifiableEvent[]): Checked {
  const violations: string[] = [];
  const assigned = new Set<string>();
  const position = new Map<string, number>();
  let [records, commits, assignments] = [0, 0, 0];
  for (const { name: event, partitions = [], offsets = [], success, exception, message } of events) {
    if (event === 'partitions_assigned') {
      assignments++;
      for (const place of partitions) assigned.add(keyOf(place));
    } else if (event === 'partitions_revoked') {
      for (const place of partitions) {
        assigned.delete(keyOf(place));
        position.delete(keyOf(place));
      }
    } else if (event === 'records_consumed') {
      for (const place of partitions) {
        const [key, first, last] = [keyOf(place), place.minOffset!, place.maxOffset!];
        if (!assigned.has(key)) violations.push(`${name} consumed ${key}, which was not assigned to it`);
        const expected = position.get(key) ?? first;
        if (first !== expected)
          violations.push(`${name} consumed ${key} from ${first} on, at position ${expected}`);
        position.set(key, last + 1);
        records += place.count!;
      }
    } else if (event === 'offsets_committed' && success === true) {
      commits++;
      for (const place of offsets) {
        const [key, at] = [keyOf(place), position.get(keyOf(place))];
        if (!assigned.has(key)) violations.push(`${name} committed ${key}, which was not assigned to it`);
        else if (at === undefined) violations.push(`${name} committed ${key} and had no position in it`);
        else if (place.offset > at)
          violations.push(`${name} committed ${key} at ${place.offset}, behind position ${at}`);
      }
    } else if (event === 'error') violations.push(`${name}: ${exception}: ${message}`);
  }
  return { violations, records, commits, assignments };
}

/** How often each offset below `records` of each partition was consumed, by all together. */
export function coverage(
  all: readonly (readonly VerifiableEvent[])[],
  partitions: number,
  records: number,
): { missing: number; repeated: number } {
  const seen = Array.from({ length: partitions }, () => new Uint16Array(records));
  for (const events of all)
    for (const { name, partitions: consumed = [] } of events) {
      if (name !== 'records_consumed') continue;
      for (const { partition, minOffset, maxOffset } of consumed)
        for (let offset = minOffset!; offset <= maxOffset!; offset++) seen[partition]![offset]!++;
    }
  let [missing, repeated] = [0, 0];
  for (const counts of seen)
    for (const count of counts) {
      if (count === 0) missing++;
      else repeated += count - 1;
    }
  return { missing, repeated };
}
