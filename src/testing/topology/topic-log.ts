// The topics of a test as it reads them: in the order in which records were appended, over all partitions.
import type { BrokerBox } from '../broker/broker-box.ts';
import type { ClusterEvent } from '../broker/cluster-event.ts';
import type { DumpedRecord } from '../broker/inspect.ts';

/** A record with its partition. */
export interface PlacedRecord {
  readonly partition: number;
  readonly record: DumpedRecord;
}

interface Appended {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export class TopicLog {
  private readonly box: BrokerBox;
  private readonly appends = new Map<string, Appended[]>();
  private readonly readTo = new Map<string, number>();

  constructor(box: BrokerBox) {
    this.box = box;
  }

  see(event: ClusterEvent): void {
    if (event.kind !== 'append') return;
    const { topic, partition, baseOffset: from, lastOffset: to } = event;
    let appends = this.appends.get(topic);
    if (appends === undefined) {
      appends = [];
      this.appends.set(topic, appends);
    }
    appends.push({ partition, from, to });
  }

  /** What was appended since the last call. */
  async readNew(topic: string): Promise<PlacedRecord[]> {
    const appends = this.appends.get(topic) ?? [];
    const from = this.readTo.get(topic) ?? 0;
    this.readTo.set(topic, appends.length);
    return this.read(topic, appends.slice(from));
  }

  readAll(topic: string): Promise<PlacedRecord[]> {
    return this.read(topic, this.appends.get(topic) ?? []);
  }

  private async read(topic: string, appends: readonly Appended[]): Promise<PlacedRecord[]> {
    const partitions = new Map<number, Map<number, DumpedRecord>>();
    for (const partition of new Set(appends.map((one) => one.partition))) {
      const records = await this.box.records(topic, partition);
      partitions.set(partition, new Map(records.map((record) => [record.offset, record])));
    }
    const found: PlacedRecord[] = [];
    for (const { partition, from, to } of appends) {
      for (let offset = from; offset <= to; offset++) {
        // Gone where the log was truncated, cleaned, or holds a marker.
        const record = partitions.get(partition)!.get(offset);
        if (record !== undefined) found.push({ partition, record });
      }
    }
    return found;
  }
}
