import { describe, expect, it } from '@jest/globals';
import { AsyncProducer } from '../../src/sinks/async-producer.ts';
import { SyncProducer } from '../../src/sinks/sync-producer.ts';
import type { RecordProducer } from '../../src/core/producer/record-producer.ts';
import type { Receipt } from '../../src/core/producer/receipt.ts';
import type { Serializer } from '../../src/serdes/serde.ts';
import { rejection } from '../helpers/rejection.ts';

/** A serializer that is ready for a topic when it is told to be. */
class Slow implements Serializer<string> {
  readonly asked: string[] = [];
  private readonly ready = new Set<string>();
  private readonly answers: { topic: string; resolve: () => void; reject: (cause: unknown) => void }[] = [];

  serialize(value: string, { topic }: { readonly topic: string }): string {
    if (!this.ready.has(topic)) throw new Error('not ready');
    return value.toUpperCase();
  }

  prepareToSerialize({ topic }: { readonly topic: string }): Promise<void> | undefined {
    if (this.ready.has(topic)) return undefined;
    this.asked.push(topic);
    return new Promise((resolve, reject) => this.answers.push({ topic, resolve, reject }));
  }

  answer(cause?: Error): Promise<void> {
    const { topic, resolve, reject } = this.answers.shift()!;
    if (cause === undefined) {
      this.ready.add(topic);
      resolve();
    } else reject(cause);
    return new Promise((done) => setImmediate(done));
  }
}

/** A producer that acknowledges at once. */
function producer(): { sent: string[]; as: RecordProducer } {
  const sent: string[] = [];
  const one = {
    hasRoom: () => true,
    onReady: () => () => undefined,
    send(topic: string, { value }: { value: unknown }, receipt: Receipt, tag = 0) {
      sent.push(`${topic} ${String(value)}`);
      receipt.onAcked(0, sent.length, 0, tag);
    },
    close: () => Promise.resolve(),
  };
  return { sent, as: one as unknown as RecordProducer };
}

describe('serializers that are not ready', () => {
  it('are waited for by an async producer, in order, once for each topic', async () => {
    const slow = new Slow();
    const { sent, as } = producer();
    const writer = new AsyncProducer(as, { value: slow });
    for (const [topic, value] of [
      ['t', 'a'],
      ['u', 'b'],
      ['t', 'c'],
    ] as const)
      writer.write({ topic, value });
    expect(sent).toEqual([]);
    await slow.answer();
    expect(sent).toEqual(['t A']);
    await slow.answer();
    expect(sent).toEqual(['t A', 'u B', 't C']);
    expect(slow.asked).toEqual(['t', 'u']);
    writer.write({ topic: 't', value: 'd' });
    expect(sent).toHaveLength(4);
    expect(await writer.close()).toEqual({ written: 4, succeeded: 4, failed: 0 });
  });

  it('fail the messages that waited, and are asked again for the next; a close waits for all', async () => {
    const slow = new Slow();
    const { sent, as } = producer();
    const writer = new AsyncProducer(as, { topic: 't', value: slow });
    const failures: unknown[] = [];
    writer.errors.subscribe(({ error }) => failures.push(error));
    writer.write({ value: 'a' });
    writer.write({ value: 'b' });
    const no = new Error('no');
    await slow.answer(no);
    expect(failures).toEqual([no, no]);
    writer.write({ value: 'c' });
    const closed = writer.close();
    await slow.answer();
    expect(await closed).toEqual({ written: 3, succeeded: 1, failed: 2 });
    expect(sent).toEqual(['t C']);
  });

  it('are waited for by a sync producer', async () => {
    const slow = new Slow();
    const { sent, as } = producer();
    const writer = new SyncProducer(as, { topic: 't', value: slow });
    const first = writer.send({ value: 'a' });
    await slow.answer(new Error('no'));
    expect((await rejection(first)).message).toBe('no');
    const batch = writer.sendBatch([{ value: 'b' }, { value: 'c' }]);
    await slow.answer();
    expect(await batch).toHaveLength(2);
    expect(sent).toEqual(['t B', 't C']);
  });
});
