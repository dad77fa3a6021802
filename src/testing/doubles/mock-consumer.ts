import { inspect, isDeepStrictEqual } from 'node:util';
import type { OpenOptions } from '../../core/consumer/open-partitions.ts';
import type { Position, StartPosition } from '../../core/consumer/options.ts';
import type { OpenReaders, OpenReadersFunction } from '../../core/consumer/record-reader.ts';
import { UsageError } from '../../errors.ts';
import { MockPartition } from './mock-partition.ts';

interface Expected {
  readonly partition: MockPartition;
  readonly from: StartPosition | 'any';
  isOpen: boolean;
}

/**
 * Stands in for `openPartitions` in a test of code that uses `sluice/core`: its `open` answers with readers of the partitions that were expected before,
 * and `close()` rejects with all that was not as expected: partitions opened that were not expected, or elsewhere than expected, partitions never
 * opened, and what the partitions themselves were told to expect.
 *
 * @example
 * ```ts
 * const consumer = new MockConsumer();
 * const orders = consumer.expectPartition('orders', 0, 'earliest').expectRecordsDrainedOnClose().expectSettledOnClose();
 * orders.yieldRecord({ key: 'a', value: '5' }).yieldRecord({ key: 'b', value: '7' });
 * expect(await sumOfOrders(consumer.open)).toBe(12);
 * expect(orders.commitPoint().offset).toBe(2);
 * await consumer.close();
 * ```
 */
export class MockConsumer implements AsyncDisposable {
  private readonly expected = new Map<string, Expected>();
  private readonly violations: string[] = [];
  private closing: Promise<void> | undefined;

  /** To be injected where the real program has `(options) => openPartitions(kafka.cluster, options)`. */
  readonly open: OpenReadersFunction = (options) =>
    new Promise((resolve) => {
      resolve(this.openReaders(options));
    });

  /**
   * The partition will be opened, once, at this position ('any' for no matter where). Without `partitions` in its options, code opens all that are
   * expected of its topic.
   */
  expectPartition(topic: string, partition: number, from: StartPosition | 'any' = 'any'): MockPartition {
    const place = `${topic}-${partition}`;
    if (this.expected.has(place))
      throw new UsageError(`MockConsumer: ${place} is expected already`, 'partition');
    const made = new MockPartition(topic, partition);
    this.expected.set(place, { partition: made, from, isOpen: false });
    return made;
  }

  /** Closes the partitions, and rejects when not everything was as expected. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private openReaders(options: OpenOptions): OpenReaders {
    const { topic, from, to, credit } = options;
    const known = [...this.expected.values()].filter((one) => one.partition.topic === topic);
    const wanted = options.partitions ?? known.map(({ partition }) => partition.partition);
    if (wanted.length === 0) throw this.violated(`${topic} is opened, and no partition of it is expected`);
    const readers = wanted.map((index) => {
      const place = `${topic}-${index}`;
      const expected = this.expected.get(place);
      if (expected === undefined) throw this.violated(`${place} is opened, and was not expected`);
      if (expected.isOpen) throw this.violated(`${place} is opened a second time`);
      if (expected.from !== 'any' && !isDeepStrictEqual(expected.from, from))
        throw this.violated(`${place} is opened at ${inspect(from)}, not at ${inspect(expected.from)}`);
      expected.isOpen = true;
      const { partition } = expected;
      partition.open(startOf(from), endOf(to), credit);
      return partition;
    });
    return {
      readers,
      close: () => {
        for (const reader of readers) reader.close();
      },
    };
  }

  private async end(): Promise<void> {
    // What was just yielded is handed over first.
    await Promise.resolve();
    const lines = [...this.violations];
    for (const [place, { partition, isOpen }] of this.expected) {
      if (!isOpen) lines.push(`${place} was not opened`);
      else lines.push(...partition.complaints());
      partition.close();
    }
    if (lines.length === 0) return;
    throw new Error(`MockConsumer: not all was as expected${lines.map((one) => `\n  ${one}`).join('')}`);
  }

  private violated(what: string): UsageError {
    this.violations.push(what);
    return new UsageError(`MockConsumer: ${what}`);
  }
}

/** A double has no log to look into: what it yields begins where it is opened, at 0 where that is no offset. */
function startOf(from: StartPosition): number {
  return typeof from === 'number' ? from : 0;
}

function endOf(to: Position | undefined): number | 'latest' | undefined {
  if (to === undefined || typeof to === 'number' || to === 'latest') return to;
  throw new UsageError(
    "MockConsumer: 'to' is an offset or 'latest'; a double has no log to look times up in",
    'to',
  );
}
