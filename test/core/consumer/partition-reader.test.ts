import { describe, expect, it } from '@jest/globals';
import { BrokerError, CompressionError, CorruptRecordError, UsageError } from '../../../src/errors.ts';
import { batch, emptied, marker, run } from './batches.ts';
import { bench, FakeHost, Notes, span } from './harness.ts';

describe('PartitionReader', () => {
  it('hands over in offset order from the start offset, in the middle of a batch too', async () => {
    const { feed, notes, reader } = await bench({ startOffset: 3 });
    feed([run(0, 5), run(5, 5)]);
    expect(notes.offsets).toEqual(span(3, 7));
    expect(notes.values[0]).toBe('v3');
    expect(reader.position).toBe(10);
    expect(reader.commitPoint()).toEqual({ offset: 3, leaderEpoch: -1, metadata: '' });
    notes.sequences.forEach((sequence) => reader.settle(sequence));
    expect(reader.commitPoint()).toEqual({ offset: 10, leaderEpoch: 0, metadata: '' });
  });

  it('stops out of credit, says so once, and goes on when half of it is back', async () => {
    const { feed, notes, reader, host } = await bench({ credit: { records: 10 } });
    feed([run(0, 30)]);
    expect(notes.offsets).toEqual(span(0, 10));
    expect([notes.pressures, reader.inFlightRecords]).toEqual([1, 10]);
    for (const sequence of notes.sequences.slice(0, 4)) reader.settle(sequence);
    await host.clock.settle();
    expect(notes.offsets.length).toBe(10);
    reader.settle(notes.sequences[4]!);
    expect(notes.offsets.length).toBe(10);
    await host.clock.settle();
    expect(notes.offsets).toEqual(span(0, 15));
    expect(notes.pressures).toBe(2);
  });

  it('has no pressure when the last record took the last credit', async () => {
    const { feed, notes } = await bench({ credit: { records: 10 } });
    feed([run(0, 10)]);
    expect([notes.offsets.length, notes.pressures]).toEqual([10, 0]);
    feed([run(10, 1)]);
    expect([notes.offsets.length, notes.pressures]).toEqual([10, 1]);
  });

  it('counts bytes, yet lets one record of any size pass when nothing is in flight', async () => {
    const { feed, notes, reader, host } = await bench({ credit: { bytes: 100 } });
    feed([batch(0, ['x'.repeat(5000), 'y'.repeat(5000)])]);
    expect(notes.offsets).toEqual([0]);
    reader.settle(notes.sequences[0]!);
    await host.clock.settle();
    expect(notes.offsets).toEqual([0, 1]);
    expect(reader.inFlightBytes).toBeGreaterThan(5000);
  });

  it('bounds the span, held records included, and holding gives in-flight credit back', async () => {
    const { feed, notes, reader, host } = await bench({ credit: { records: 4, span: 8 } });
    feed([run(0, 30)]);
    expect(notes.offsets.length).toBe(4);
    for (const sequence of notes.sequences) reader.hold(sequence);
    await host.clock.settle();
    expect(notes.offsets.length).toBe(8);
    for (const sequence of notes.sequences) reader.hold(sequence);
    await host.clock.settle();
    expect([notes.offsets.length, reader.inFlightRecords, reader.unsettledCount]).toEqual([8, 0, 8]);
    expect(notes.pressures).toBe(2);
    expect(reader.commitPoint().offset).toBe(0);
    for (const sequence of notes.sequences.slice(0, 4)) reader.settle(sequence);
    await host.clock.settle();
    expect(notes.offsets.length).toBe(12);
  });

  it('settles inside onRecord without recursion, in order, at credit 1', async () => {
    const { feed, notes, reader } = await bench({ credit: { records: 1 } });
    let depth = 0;
    let deepest = 0;
    notes.then = (sequence) => {
      depth += 1;
      deepest = Math.max(deepest, depth);
      reader.settle(sequence);
      depth -= 1;
    };
    feed([run(0, 5000)]);
    expect(notes.offsets).toEqual(span(0, 5000));
    expect([deepest, notes.pressures, reader.commitPoint().offset]).toEqual([1, 0, 5000]);
  });

  it('yields to the event loop after about 8 ms and lets other readers have their turn', async () => {
    const host = new FakeHost();
    const one = await bench({}, host);
    const two = await bench({ partition: 1 }, host);
    const turns: string[] = [];
    for (const [name, { notes }] of [['one', one] as const, ['two', two] as const])
      notes.then = () => {
        if (turns.at(-1) !== name) turns.push(name);
        host.clock.spend(0.1);
      };
    one.feed([run(0, 200)]);
    expect(one.notes.offsets.length).toBeLessThan(100);
    expect(one.notes.offsets.length).toBeGreaterThan(60);
    let heartbeat = false;
    host.clock.defer(() => (heartbeat = true));
    two.feed([run(0, 200)]);
    expect(two.notes.offsets.length).toBe(0);
    await host.clock.runUntil(() => one.notes.offsets.length + two.notes.offsets.length === 400);
    expect(heartbeat).toBe(true);
    expect(turns.length).toBeGreaterThan(10);
    expect(one.notes.offsets).toEqual(span(0, 200));
  });

  it('looks at the clock after each record when records are slow', async () => {
    const { feed, notes, host } = await bench();
    notes.then = () => host.clock.spend(1);
    feed([run(0, 100)]);
    expect(notes.offsets.length).toBeLessThanOrEqual(16);
    const before = notes.offsets.length;
    let seen = -1;
    host.clock.defer(() => {
      host.clock.defer(() => (seen = notes.offsets.length));
    });
    await host.clock.runUntil(() => seen >= 0);
    expect(seen - before).toBeLessThanOrEqual(32);
  });

  it('keeps what is buffered while paused', async () => {
    const { feed, notes, reader, host } = await bench();
    notes.then = (_, offset) => {
      if (offset === 4) reader.pause();
    };
    feed([run(0, 10)]);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(reader.feed.bytesWanted()).toBe(0);
    feed([run(10, 10)]);
    expect(reader.bufferedBytes).toBeGreaterThan(0);
    reader.resume();
    await host.clock.settle();
    expect(notes.offsets).toEqual(span(0, 20));
  });

  it('moves the position over control records and gaps, and no further than the next buffered record', async () => {
    const { feed, notes, reader } = await bench({ credit: { records: 2 } });
    feed([run(0, 1), marker(1, 7, 'commit'), emptied(2, 9), run(10, 3)]);
    expect(notes.offsets).toEqual([0, 10]);
    expect(reader.position).toBe(11);
    for (const sequence of notes.sequences) reader.settle(sequence);
    expect(reader.commitPoint().offset).toBe(11);
  });

  it('has lag 0 behind a transaction marker at the end of the log', async () => {
    const { feed, reader, notes } = await bench();
    reader.feed.sawEnd(4);
    expect(reader.lag).toBe(4);
    feed([run(0, 3), marker(3, 7, 'commit', 2)]);
    expect([reader.position, reader.lag, notes.offsets.length]).toEqual([4, 0, 3]);
    notes.sequences.forEach((sequence) => reader.settle(sequence));
    expect(reader.commitPoint()).toMatchObject({ offset: 4, leaderEpoch: 2 });
    reader.closeGate();
    expect(reader.feed.fetch).toMatchObject({ offset: 4, leaderEpoch: 2 });
  });

  it('hides aborted transactions from read_committed readers', async () => {
    const host = new FakeHost();
    host.readCommitted = true;
    const { feed, notes, reader } = await bench({}, host);
    const t = (producerId: number) => ({ producerId, transactional: true });
    feed(
      [
        run(0, 2, t(1)),
        run(2, 2, t(2)),
        run(4, 1),
        run(5, 1, t(1)),
        marker(6, 1, 'abort'),
        run(7, 2, t(1)),
        marker(9, 2, 'commit'),
        marker(10, 1, 'commit'),
      ],
      [{ producerId: 1, firstOffset: 0 }],
    );
    expect(notes.offsets).toEqual([2, 3, 4, 7, 8]);
    expect(reader.position).toBe(11);
  });

  it('shows aborted records to read_uncommitted readers', async () => {
    const { feed, notes } = await bench();
    feed([run(0, 2, { producerId: 1, transactional: true }), marker(2, 1, 'abort')]);
    expect(notes.offsets).toEqual([0, 1]);
  });

  it('ends at `to`, hands over nothing of it, and ends at once where it starts behind it', async () => {
    const { feed, notes, reader } = await bench({ to: 7 });
    feed([run(0, 5), run(5, 5)]);
    expect([notes.offsets, notes.ends]).toEqual([span(0, 7), 1]);
    expect([reader.position, reader.feed.bytesWanted(), reader.bufferedBytes]).toEqual([7, 0, 0]);
    const empty = await bench({ startOffset: 4, to: 4 });
    expect(empty.notes.ends).toBe(1);
  });

  it('ends at `to` over markers and gaps', async () => {
    const marked = await bench({ to: 4 });
    marked.feed([run(0, 3), marker(3, 9, 'commit')]);
    expect([marked.notes.ends, marked.reader.position]).toEqual([1, 4]);
    const gap = await bench({ to: 6 });
    gap.feed([run(0, 3), run(8, 3)]);
    expect([gap.notes.ends, gap.reader.position, gap.notes.offsets]).toEqual([1, 6, [0, 1, 2]]);
  });

  it('closes the gate in the middle of a batch: nothing more comes, and the rest goes back to the budget', async () => {
    const { feed, notes, reader, host } = await bench();
    notes.then = (_, offset) => {
      if (offset === 2) reader.closeGate();
    };
    feed([run(0, 5), run(5, 100)]);
    await host.clock.settle();
    expect(notes.offsets).toEqual([0, 1, 2]);
    expect(reader.retainedBytes).toBe(run(0, 5).length);
    expect(reader.commitPoint().offset).toBe(0);
    notes.sequences.forEach((sequence) => reader.settle(sequence));
    expect([reader.retainedBytes, reader.commitPoint().offset, reader.feed.fetch.offset]).toEqual([0, 3, 3]);
    reader.openGate();
    feed([run(0, 5)]);
    await host.clock.settle();
    expect(notes.offsets).toEqual(span(0, 5));
  });

  it('resets to a new claim epoch: late settles are counted, the start listener is new', async () => {
    const { feed, notes, reader, host } = await bench({ credit: { records: 3 } });
    feed([run(0, 10)]);
    reader.settle(notes.sequences[0]!);
    const epoch = reader.claimEpoch;
    reader.reset(reader.commitPoint().offset);
    expect([reader.claimEpoch, reader.inFlightRecords, reader.retainedBytes, reader.bufferedBytes]).toEqual([
      epoch + 1,
      0,
      0,
      0,
    ]);
    reader.settle(notes.sequences[1]!);
    expect(reader.lateSettles).toBe(1);
    const again = new Notes();
    reader.start(again);
    feed([run(0, 10)]);
    await host.clock.settle();
    expect(again.offsets).toEqual([1, 2, 3]);
    expect(notes.offsets.length).toBe(3);
    expect(reader.commitPoint().offset).toBe(1);
  });

  it('seeks, also from inside onRecord, and keeps what is under way in the commit point', async () => {
    const { feed, notes, reader, host } = await bench();
    notes.then = (_, offset) => {
      if (offset === 1) reader.seek(50);
    };
    feed([run(0, 10)]);
    expect(notes.offsets).toEqual([0, 1]);
    expect([reader.feed.fetch.offset, reader.position, reader.commitPoint().offset]).toEqual([50, 50, 0]);
    feed([run(45, 10)]);
    await host.clock.settle();
    expect(notes.offsets).toEqual([0, 1, ...span(50, 5)]);
    reader.settle(notes.sequences[0]!);
    reader.settle(notes.sequences[1]!);
    expect(reader.commitPoint()).toEqual({ offset: 50, leaderEpoch: -1, metadata: '' });
    expect(() => reader.seek(-1)).toThrow(UsageError);
  });

  it('delivers the good batches before a corrupt one, then names topic, partition and offset', async () => {
    const { feed, notes, reader, host } = await bench();
    const bad = Buffer.from(run(5, 5));
    bad[70]! ^= 0xff;
    feed([run(0, 5), bad, run(10, 5)]);
    expect(notes.offsets).toEqual(span(0, 5));
    expect(notes.errors).toHaveLength(1);
    expect(notes.errors[0]).toBeInstanceOf(CorruptRecordError);
    expect(notes.errors[0]!.message).toMatch(/offset 5 of t-0/);
    notes.sequences.forEach((sequence) => reader.settle(sequence));
    expect([reader.commitPoint().offset, reader.retainedBytes, reader.feed.bytesWanted()]).toEqual([5, 0, 0]);
    reader.seek(10);
    feed([run(10, 5)]);
    await host.clock.settle();
    expect(notes.offsets.slice(5)).toEqual(span(10, 5));
  });

  it('reads compressed batches and counts them unpacked', async () => {
    const { feed, notes, reader } = await bench();
    const packed = batch(0, new Array<string>(100).fill('z'.repeat(1000)), { codec: 'gzip' });
    feed([packed]);
    expect(notes.offsets.length).toBe(100);
    expect(packed.length).toBeLessThan(5000);
    expect(reader.retainedBytes).toBeGreaterThan(100_000);
    notes.sequences.forEach((sequence) => reader.settle(sequence));
    expect(reader.retainedBytes).toBe(0);
  });

  const packedRun = (from: number, count: number, size = 1000): Buffer =>
    batch(from, new Array<string>(count).fill('z'.repeat(size)), { codec: 'gzip' });

  it('unpacks no more than the budget has room for, one batch at least, and tells who gathers', async () => {
    const host = new FakeHost(1_000_000);
    const credit = { records: 1_000_000, bytes: 1e9 };
    const { feed, notes, reader } = await bench({ credit }, host);
    const all = Array.from({ length: 40 }, (_, at) => packedRun(at * 100, 100));
    feed(all);
    expect(notes.offsets.length).toBeGreaterThan(500);
    expect(host.budget.usedBytes).toBeLessThan(1_300_000);
    expect(notes.pressures).toBe(1);
    let highest = 0;
    for (let round = 0; round < 100 && notes.offsets.length < 4000; round += 1) {
      for (const sequence of notes.sequences.splice(0)) reader.settle(sequence);
      await host.clock.advance(1);
      highest = Math.max(highest, host.budget.usedBytes);
    }
    expect(notes.offsets).toEqual(span(0, 4000));
    expect(highest).toBeLessThan(1_300_000);
    for (const sequence of notes.sequences) reader.settle(sequence);
    expect(host.budget.usedBytes).toBe(0);
  });

  it('unpacks a batch larger than the budget when nothing is in flight, held records or not, and beside a stuck reader', async () => {
    const host = new FakeHost(100_000);
    const stuck = await bench({ credit: { records: 1_000_000, bytes: 1e9 } }, host);
    stuck.feed([packedRun(0, 400), packedRun(400, 400)]);
    expect(stuck.notes.offsets.length).toBe(400);
    const other = await bench({ credit: { records: 1_000_000, bytes: 1e9 } }, host);
    other.feed([packedRun(0, 300), packedRun(300, 300)]);
    expect(other.notes.offsets.length).toBe(300);
    for (const sequence of other.notes.sequences) other.reader.hold(sequence);
    await host.clock.advance(1);
    expect(other.notes.offsets.length).toBe(600);
    expect(stuck.notes.offsets.length).toBe(400);
  });

  it('shows each record to its interceptors once, in order, whatever they throw', async () => {
    const seen: string[] = [];
    const errors: unknown[] = [];
    const failing = new Error('an interceptor that fails');
    const interceptors = [
      { onRecord: ({ offset }: { offset: number }) => void seen.push(`a${offset}`) },
      {
        onRecord: ({ offset }: { offset: number }) => {
          seen.push(`b${offset}`);
          if (offset === 3) throw failing;
        },
        onError: (error: unknown, { offset }: { offset: number }) => void errors.push([error, offset]),
      },
    ];
    const { feed, notes, reader, host } = await bench({ interceptors, credit: { records: 2 } });
    feed([run(0, 6)]);
    while (notes.offsets.length < 6) {
      for (const sequence of notes.sequences) reader.settle(sequence);
      await host.clock.advance(1);
    }
    expect(notes.offsets).toEqual(span(0, 6));
    expect(seen).toEqual(span(0, 6).flatMap((offset) => [`a${offset}`, `b${offset}`]));
    expect(errors).toEqual([[failing, 3]]);
  });

  it('refuses a batch that unpacks to more than it may', async () => {
    const host = new FakeHost();
    host.maxBatchBytes = 50_000;
    const { feed, notes, reader } = await bench({}, host);
    feed([run(0, 2), batch(2, new Array<string>(100).fill('z'.repeat(1000)), { codec: 'gzip' })]);
    expect(notes.offsets).toEqual([0, 1]);
    expect(notes.errors[0]).toBeInstanceOf(CompressionError);
    expect(notes.errors[0]!.message).toMatch(/t-0 stopped at offset 2/);
    notes.sequences.forEach((sequence) => reader.settle(sequence));
    expect(reader.retainedBytes).toBe(0);
  });

  it('fails after what is buffered, once, and jumps after what is buffered', async () => {
    const { feed, notes, reader, host } = await bench({ credit: { records: 2 } });
    feed([run(0, 4)]);
    reader.feed.jumpTo(20);
    feed([run(20, 1)]);
    reader.feed.fail(new BrokerError('OFFSET_OUT_OF_RANGE', 'gone', { retriable: false }));
    reader.feed.fail(new BrokerError('OFFSET_OUT_OF_RANGE', 'again', { retriable: false }));
    expect(notes.errors).toEqual([]);
    while (notes.errors.length === 0) {
      notes.sequences.forEach((sequence) => reader.settle(sequence));
      await host.clock.settle();
    }
    expect(notes.offsets).toEqual([0, 1, 2, 3, 20]);
    expect(notes.errors.map(({ message }) => message)).toEqual(['gone']);
  });

  it('asks for more only with room: prefetch bound, share bound, one batch of any size when nothing is in flight', async () => {
    const host = new FakeHost(100_000);
    host.prefetchBytes = 40_000;
    host.partitionFetchBytes = 20_000;
    const { feed, notes, reader } = await bench({ credit: { records: 1 } }, host);
    expect(reader.feed.bytesWanted()).toBe(20_000);
    feed([batch(0, ['a', 'x'.repeat(30_000)])]);
    feed([batch(2, ['x'.repeat(30_000)])]);
    expect(notes.offsets).toEqual([0]);
    expect(reader.feed.bytesWanted()).toBe(0);
    const one = await bench({ partition: 1 }, host);
    one.feed([batch(0, ['x'.repeat(60_000)])]);
    expect(one.notes.offsets).toEqual([0]);
    expect(one.reader.feed.bytesWanted()).toBe(0);
    expect(one.notes.pressures).toBe(1);
    one.reader.hold(one.notes.sequences[0]!);
    expect(one.reader.feed.bytesWanted()).toBeGreaterThan(0);
    expect(host.woken).toContain(one.reader);
  });

  it('copies the survivors of sparse batches when memory is what is short', async () => {
    const host = new FakeHost(100_000);
    const { feed, notes, reader } = await bench({}, host);
    for (let at = 0; at < 3; at += 1)
      feed([batch(at * 10, new Array<string>(10).fill(String(at).repeat(3000)))]);
    expect(reader.feed.bytesWanted()).toBe(0);
    expect(notes.pressures).toBe(1);
    for (const sequence of notes.sequences) if (sequence % 10 !== 4) reader.settle(sequence);
    expect(reader.retainedBytes).toBeGreaterThan(90_000);
    host.loop.now(reader);
    expect(reader.retainedBytes).toBeLessThan(10_000);
    expect(reader.retainedBytes).toBe(reader.inFlightBytes);
    expect(reader.feed.bytesWanted()).toBeGreaterThan(0);
    notes.sequences.forEach((sequence) => reader.settle(sequence));
    expect(reader.retainedBytes).toBe(0);
  });

  it('waits until all is settled, or until nothing is in flight', async () => {
    const { feed, notes, reader } = await bench();
    feed([run(0, 2)]);
    const log: string[] = [];
    const abort = new AbortController();
    const settled = reader.whenSettled().then(() => log.push('settled'));
    const idle = reader.whenIdle().then(() => log.push('idle'));
    const aborted = reader.whenSettled(abort.signal).catch((reason: unknown) => log.push(String(reason)));
    abort.abort('enough');
    await aborted;
    reader.settle(notes.sequences[0]!);
    reader.hold(notes.sequences[1]!);
    await idle;
    expect(log).toEqual(['enough', 'idle']);
    reader.settle(notes.sequences[1]!);
    await settled;
    await reader.whenSettled();
    feed([run(2, 1)]);
    const never = reader.whenSettled();
    reader.close();
    await expect(never).rejects.toThrow(UsageError);
    expect(reader.commitPoint()).toEqual({ offset: 2, leaderEpoch: 0, metadata: '' });
    reader.settle(notes.sequences[2]!);
    expect([reader.lateSettles, reader.commitPoint().offset]).toEqual([1, 2]);
  });

  it('tells the age of the oldest unsettled record and counts what the commit point moves over', async () => {
    const { feed, notes, reader, host } = await bench();
    let moved = 0;
    reader.onSettledAny = (records) => (moved += records);
    feed([run(0, 3)]);
    await host.clock.advance(700);
    expect(reader.oldestUnsettledAgeMs()).toBe(700);
    reader.settle(notes.sequences[2]!);
    expect(moved).toBe(0);
    reader.settle(notes.sequences[0]!);
    reader.settle(notes.sequences[1]!);
    expect([moved, reader.oldestUnsettledAgeMs()]).toEqual([3, 0]);
  });

  it('refuses a credit that could never emit, and a second start', async () => {
    await expect(bench({ credit: { records: 0 } })).rejects.toThrow(UsageError);
    const { reader } = await bench();
    expect(() => reader.start(new Notes())).toThrow(UsageError);
  });
});
