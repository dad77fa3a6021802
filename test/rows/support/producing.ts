// What the rows of the producer share: records read back, connections that are cut, receipts kept in order.
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import type { IsolationLevel } from '../../../src/core/consumer/options.ts';
import { tcpTransport, type Transport, type Wire } from '../../../src/core/network/transport.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import type { Kafka } from '../../../src/index.ts';

/** One record of a log. */
export interface Logged {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

function logged(record: FetchedRecord): Logged {
  const { partition, offset, timestamp, key, value } = record;
  return {
    partition,
    offset,
    timestamp,
    key: key === null ? null : String(key),
    value: value === null ? null : String(value),
    headers: [...record.headers].map(([name, one]) => [name, one === null ? null : String(one)] as const),
  };
}

/** Everything in a topic up to its end, partition by partition. */
export async function readAll(
  kafka: Kafka,
  topic: string,
  isolationLevel: IsolationLevel = 'read_uncommitted',
): Promise<Logged[]> {
  const open = await openPartitions(kafka.cluster, { topic, from: 'earliest', to: 'latest', isolationLevel });
  const found = await Promise.all(
    open.readers.map(
      (reader) =>
        new Promise<Logged[]>((resolve, reject) => {
          const records: Logged[] = [];
          reader.start({
            onRecord: (record, sequence) => {
              records.push(logged(record));
              reader.settle(sequence);
            },
            onPressure: () => undefined,
            onEnd: () => resolve(records),
            onError: reject,
          });
        }),
    ),
  );
  open.close();
  return found.flat();
}

/** The values of a partition, in order. */
export async function valuesOf(kafka: Kafka, topic: string, partition = 0): Promise<(string | null)[]> {
  const records = await readAll(kafka, topic);
  return records.filter((record) => record.partition === partition).map(({ value }) => value);
}

/** Each value once, where it came first. */
export function firsts(values: readonly (string | null)[]): (string | null)[] {
  return [...new Set(values)];
}

export const numbered = (count: number, prefix = ''): string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`);

/** TCP whose connections break: `arm(times)` has every third arrival of bytes end its connection instead, so many times. */
export class CuttingTransport implements Transport {
  left = 0;
  private arrivals = 0;

  arm(times: number): void {
    this.left = times;
  }

  connect(...[address, events]: Parameters<Transport['connect']>): Wire {
    const wire: Wire = tcpTransport.connect(address, {
      ...events,
      onOpen: () => events.onOpen(),
      onDrain: () => events.onDrain(),
      onClose: (cause) => events.onClose(cause),
      onData: (chunk) => {
        this.arrivals += 1;
        if (this.left === 0 || this.arrivals % 3 > 0) {
          events.onData(chunk);
          return;
        }
        this.left -= 1;
        wire.destroy();
      },
    });
    return wire;
  }
}
