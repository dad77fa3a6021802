import type { Clock } from '../../../core/clock.ts';
import type { BatchLimits } from '../log/check-batch.ts';

/** The topic configurations that change what this broker does; others are kept and shown, and have no effect. */
const NUMBERS = ['max.message.bytes', 'retention.bytes', 'message.timestamp.after.max.ms'] as const;
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

/** A topic's configuration by Kafka's names, and what follows from it. */
export class TopicConfig {
  readonly entries: ReadonlyMap<string, string>;
  readonly maxMessageBytes: number;
  readonly retentionBytes: number;
  readonly isAppendTime: boolean;
  readonly #timestampAfterMaxMs: number;

  constructor(entries: ReadonlyMap<string, string>) {
    this.entries = entries;
    this.maxMessageBytes = this.#number('max.message.bytes', DEFAULT_MAX_MESSAGE_BYTES);
    const retention = this.#number('retention.bytes', -1);
    this.retentionBytes = retention < 0 ? Infinity : retention;
    this.#timestampAfterMaxMs = this.#number('message.timestamp.after.max.ms', Infinity);
    this.isAppendTime = entries.get('message.timestamp.type') === 'LogAppendTime';
  }

  /** What is wrong with these values, in words; undefined when nothing is. */
  static problem(entries: ReadonlyMap<string, string>): string | undefined {
    for (const name of NUMBERS) {
      const value = entries.get(name);
      if (value !== undefined && !/^-?\d+$/.test(value)) {
        return `Invalid value ${value} for configuration ${name}: Not a number of type LONG`;
      }
    }
    const type = entries.get('message.timestamp.type');
    if (type !== undefined && type !== 'CreateTime' && type !== 'LogAppendTime') {
      return `Invalid value ${type} for configuration message.timestamp.type: must be one of: CreateTime, LogAppendTime`;
    }
    return undefined;
  }

  batchLimits(clock: Clock): BatchLimits {
    return {
      maxMessageBytes: this.maxMessageBytes,
      latestTimestamp: this.isAppendTime ? Infinity : clock.wallNow() + this.#timestampAfterMaxMs,
    };
  }

  #number(name: string, fallback: number): number {
    const value = this.entries.get(name);
    return value === undefined ? fallback : Number(value);
  }
}
