import {
  add,
  addAsBroker,
  addOffsets,
  commitOffsets,
  commitPlain,
  committed,
  deleteBefore,
  end,
  endOfEpoch,
  fetch,
  init,
  list,
  offsets,
  produce,
  produceBytes,
  producers,
  state,
  writeMarker,
} from './calls.ts';
import { crc32c } from '../../../../src/core/records/crc32c.ts';
import { batchOf } from '../requests.ts';
import type { Stage } from './stage.ts';

/** What is asked of both sides; the notes it makes must be the same. */
export type Transcript = (stage: Stage) => Promise<void>;

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;

export const transcripts: Readonly<Record<string, Transcript>> = {
  async 'sequence numbers of an idempotent producer'(stage) {
    const topic = await stage.topic('sequences');
    const one = await init(stage, null);
    const other = await init(stage, null, { from: one });
    const send = (sequence: number, values = ['a', 'b'], producer = one): Promise<number> =>
      produce(stage, topic, producer, { sequence, values });
    await send(0);
    await send(2);
    await send(0);
    await send(5);
    await send(1);
    await send(2, ['a']);
    for (let sequence = 4; sequence <= 12; sequence += 2) await send(sequence);
    await send(2);
    await send(4);
    await send(0, ['a'], { ...one, epoch: 2 });
    await send(3, ['a'], { ...one, epoch: 3 });
    await send(14);
    await send(7, ['a'], other);
    await send(2 ** 31 - 2, ['a', 'b', 'c'], { ...other, epoch: 1 });
    await send(0, ['a', 'b', 'c'], { ...other, epoch: 1 });
    const third = await init(stage, null);
    await send(2 ** 31 - 2, ['a', 'b', 'c'], third);
    await send(0, ['a'], third);
    await send(1, ['a'], third);
    await send(2 ** 31 - 2, ['a', 'b', 'c'], third);
    await producers(stage, topic);
    await fetch(stage, topic);
  },

  async 'a transaction with partitions added by request'(stage) {
    const topic = await stage.topic('first', { partitions: 2 });
    const id = stage.name('tx-first');
    await stage.coordinator(id);
    await state(stage, id);
    const producer = await init(stage, id);
    await state(stage, id);
    await produce(stage, topic, producer, { transactionalId: id, version: 9 });
    await produce(stage, topic, producer, { transactionalId: id, version: 11 });
    await end(stage, id, producer, true);
    await end(stage, id, producer, false);
    await add(stage, id, producer, topic);
    await add(stage, id, producer, topic);
    await state(stage, id);
    await produce(stage, topic, producer, { transactionalId: id });
    await fetch(stage, topic);
    await fetch(stage, topic, { committed: true });
    await fetch(stage, topic, { committed: true, offset: 1 });
    await fetch(stage, topic, { committed: true, offset: 2 });
    await fetch(stage, topic, { committed: true, offset: 3 });
    await produce(stage, topic, producer, { transactionalId: id, sequence: 2, isTransactional: false });
    await produce(stage, topic, { producerId: -1, epoch: -1 }, { sequence: -1 });
    await fetch(stage, topic, { committed: true });
    await offsets(stage, topic, [LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, stage.baseMs + 1]);
    await producers(stage, topic);
    await produce(stage, topic, producer, { transactionalId: id, sequence: 2, partition: 1 });
    await end(stage, id, producer, true);
    await state(stage, id);
    await end(stage, id, producer, true);
    await end(stage, id, producer, false);
    await fetch(stage, topic, { committed: true });
    await fetch(stage, topic, { committed: true, partition: 1 });
    await producers(stage, topic);
    await produce(stage, topic, producer, { transactionalId: id, sequence: 0 });
    await produce(stage, topic, producer, { transactionalId: id, sequence: 2 });
    await add(stage, id, producer, topic);
    await produce(stage, topic, producer, { transactionalId: id, sequence: 3 });
    await produce(stage, topic, producer, { transactionalId: id, sequence: 2 });
    await end(stage, id, producer, false);
    await state(stage, id);
    await fetch(stage, topic, { committed: true });
    await fetch(stage, topic);
    await producers(stage, topic);
  },

  async 'a transaction that adds partitions by writing to them'(stage) {
    const topic = await stage.topic('second', { partitions: 2 });
    const id = stage.name('tx-second');
    await stage.coordinator(id);
    const first = await init(stage, id, { version: 5 });
    await end(stage, id, first, true, 5);
    await produce(stage, topic, first, { transactionalId: id, version: 12, sequence: 1 });
    await state(stage, id);
    await produce(stage, topic, first, { transactionalId: id, version: 12 });
    await produce(stage, topic, first, { transactionalId: id, version: 12 });
    await produce(stage, topic, first, { transactionalId: id, version: 13, sequence: 2 });
    await state(stage, id);
    await fetch(stage, topic, { committed: true });
    const second = await end(stage, id, first, true, 5);
    await state(stage, id);
    await producers(stage, topic);
    await end(stage, id, first, true, 5);
    await end(stage, id, first, false, 5);
    await fetch(stage, topic, { committed: true });
    await produce(stage, topic, first, { transactionalId: id, version: 12, sequence: 4 });
    await produce(stage, topic, second, { transactionalId: id, version: 12, sequence: 4 });
    await produce(stage, topic, second, { transactionalId: id, version: 12, sequence: 0 });
    const third = await end(stage, id, second, false, 5);
    await state(stage, id);
    await end(stage, id, second, false, 5);
    await end(stage, id, second, true, 5);
    await end(stage, id, third, true, 5);
    const fourth = await end(stage, id, third, false, 5);
    await state(stage, id);
    const fifth = await end(stage, id, fourth, false, 5);
    await end(stage, id, first, false, 5);
    await state(stage, id);
    await fetch(stage, topic, { committed: true });
    await producers(stage, topic);
    await end(stage, id, fifth, false, 3);
    await produce(stage, topic, fifth, { transactionalId: id, version: 12 });
    await end(stage, id, fifth, true, 4);
    await state(stage, id);
    await end(stage, id, fifth, true, 5);
    await produce(stage, topic, fifth, { transactionalId: id, version: 12, sequence: 2 });
    await end(stage, id, fifth, true, 5);
    await fetch(stage, topic, { committed: true });
  },

  async 'producers that are fenced'(stage) {
    const topic = await stage.topic('fenced');
    const id = stage.name('tx-fenced');
    await stage.coordinator(id);
    await init(stage, '');
    await init(stage, id, { timeoutMs: 0 });
    await init(stage, id, { timeoutMs: 900_001 });
    const first = await init(stage, id, { version: 0 });
    await add(stage, id, first, topic);
    await produce(stage, topic, first, { transactionalId: id });
    await init(stage, id);
    await stage.settled(id);
    await state(stage, id);
    await fetch(stage, topic, { committed: true });
    const second = await init(stage, id);
    for (const version of [0, 1, 2, 3]) await add(stage, id, first, topic, { version });
    for (const version of [0, 1, 2, 3, 4, 5]) await end(stage, id, first, true, version);
    for (const version of [3, 10, 11, 12]) {
      await produce(stage, topic, first, { transactionalId: id, version, sequence: 2 });
    }
    for (const version of [3, 4, 5]) await init(stage, id, { version, from: first });
    await init(stage, id, { from: { producerId: second.producerId + 1000, epoch: 0 } });
    const third = await init(stage, id, { from: second });
    await state(stage, id);
    await init(stage, id, { from: second });
    await init(stage, id, { from: { producerId: -1, epoch: 3 } });
    await add(stage, stage.name('nobody'), third, topic);
    await add(stage, id, { ...third, producerId: third.producerId + 1000 }, topic);
    await add(stage, '', third, topic);
    await add(stage, id, third, stage.name('no-topic'));
    await end(stage, stage.name('nobody'), third, true);
    await end(stage, '', third, true);
    await end(stage, id, { ...third, producerId: third.producerId + 1000 }, true);
    await end(stage, id, { ...third, epoch: third.epoch + 1 }, true);
    await produce(stage, topic, third, { transactionalId: id, version: 12 });
    await init(stage, id, { version: 5 });
    await stage.settled(id);
    await state(stage, id);
    await producers(stage, topic);
    await init(stage, id, { version: 5, from: third });
    await state(stage, id);
    await produce(stage, topic, third, { isTransactional: true });
    await produce(stage, topic, third, { transactionalId: stage.name('nobody') });
  },

  async 'what is told of aborted transactions'(stage) {
    const topic = await stage.topic('aborted');
    const ids = ['one', 'two', 'three'].map((base) => stage.name(`tx-${base}`));
    const open: { id: string; producer: Awaited<ReturnType<typeof init>>; sequence: number }[] = [];
    for (const id of ids) {
      await stage.coordinator(id);
      open.push({ id, producer: await init(stage, id), sequence: 0 });
    }
    const write = async (at: number, bytes: number): Promise<void> => {
      const one = open[at]!;
      await add(stage, one.id, one.producer, topic);
      const { id: transactionalId, sequence } = one;
      await produce(stage, topic, one.producer, { transactionalId, sequence, values: ['v'.repeat(bytes)] });
      one.sequence++;
    };
    const finish = (at: number, commit: boolean): Promise<unknown> =>
      end(stage, open[at]!.id, open[at]!.producer, commit);
    await write(0, 100);
    await write(1, 3000);
    await finish(1, false);
    await write(1, 2000);
    await write(2, 3000);
    await fetch(stage, topic, { committed: true });
    await finish(0, false);
    await fetch(stage, topic, { committed: true });
    await write(0, 5000);
    await finish(2, true);
    await write(2, 100);
    await finish(1, false);
    await finish(2, false);
    for (const offset of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) {
      for (const partitionMaxBytes of [1, 2000, 6000, 2 ** 20]) {
        await fetch(stage, topic, { committed: true, offset, partitionMaxBytes });
      }
    }
    await finish(0, true);
    for (const offset of [0, 3, 6, 9, 12]) {
      for (const partitionMaxBytes of [1, 3500, 8000, 2 ** 20]) {
        await fetch(stage, topic, { committed: true, offset, partitionMaxBytes });
        await fetch(stage, topic, { offset, partitionMaxBytes });
      }
    }
    await offsets(stage, topic, [LATEST, EARLIEST, MAX_TIMESTAMP]);
  },

  async 'offsets in transactions'(stage) {
    const topic = await stage.topic('offsets');
    const id = stage.name('tx-offsets');
    const group = stage.name('group');
    await stage.coordinator(id);
    await stage.group(group);
    const first = await init(stage, id);
    for (const version of [0, 2, 3, 4]) await commitOffsets(stage, id, first, group, { version, topic });
    await addOffsets(stage, id, first, group);
    await commitOffsets(stage, id, first, group, { topic, offset: 5, metadata: 'm' });
    await commitOffsets(stage, id, first, group, { topic: stage.name('nothing') });
    await commitOffsets(stage, id, first, group, { topic, partition: 7 });
    await commitOffsets(stage, id, first, group, { topic, metadata: 'm'.repeat(4097) });
    await commitOffsets(stage, id, first, group, { topic, generationId: 3, memberId: 'somebody' });
    await commitOffsets(stage, id, first, '', { topic });
    await committed(stage, group, topic);
    await end(stage, id, first, true);
    await committed(stage, group, topic);
    await addOffsets(stage, id, first, group);
    await commitOffsets(stage, id, first, group, { topic, offset: 9 });
    await commitPlain(stage, group, topic, 7);
    await committed(stage, group, topic);
    await end(stage, id, first, true);
    await committed(stage, group, topic);
    await addOffsets(stage, id, first, group);
    await commitOffsets(stage, id, first, group, { topic, offset: 11 });
    await end(stage, id, first, false);
    await committed(stage, group, topic);
    await commitOffsets(stage, id, first, group, { version: 5, topic, offset: 12 });
    const second = await end(stage, id, first, true, 5);
    await committed(stage, group, topic);
    await commitOffsets(stage, id, first, group, { version: 5, topic, offset: 13 });
    await commitOffsets(stage, id, first, group, { version: 3, topic, offset: 13 });
    await addOffsets(stage, id, first, group, 1);
    await addOffsets(stage, id, first, group, 2);
    await addOffsets(stage, stage.name('nobody'), first, group);
    await commitOffsets(stage, id, second, group, { version: 5, topic, offset: 14 });
    await end(stage, id, second, false, 5);
    await committed(stage, group, topic);
  },

  async 'offsets by time, and records that are deleted'(stage) {
    const topic = await stage.topic('times');
    const nobody = { producerId: -1, epoch: -1 };
    const write = (after: number, values: readonly string[]): Promise<number> =>
      produce(stage, topic, nobody, { sequence: -1, after, values });
    await offsets(stage, topic, [LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL]);
    await write(1000, ['a', 'b', 'c']);
    await write(5000, ['d', 'e']);
    await write(3000, ['f', 'g', 'h']);
    const times = [0, 1001, 1003, 3001, 5001, 5002].map((after) => stage.baseMs + after);
    await offsets(stage, topic, [LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, ...times]);
    for (const offset of [-2, 9, 4]) await deleteBefore(stage, topic, offset);
    await offsets(stage, topic, [LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, ...times]);
    for (const offset of [0, 3, 4, 8, 9]) await fetch(stage, topic, { offset });
    await deleteBefore(stage, topic, 2);
    await deleteBefore(stage, topic, -1);
    await offsets(stage, topic, [LATEST, EARLIEST, EARLIEST_LOCAL]);
    for (const epoch of [-1, 0, 1]) await endOfEpoch(stage, topic, epoch);
    await write(1000, ['i']);
    await fetch(stage, topic, { offset: 8 });
    const compacted = await stage.topic('compacted', { configs: { 'cleanup.policy': 'compact' } });
    await deleteBefore(stage, compacted, 0);
    await produce(stage, compacted, nobody, { sequence: -1 });
    const stamped = await stage.topic('limited', { configs: { 'max.message.bytes': '200' } });
    await produce(stage, stamped, nobody, { sequence: -1, values: ['v'.repeat(300)] });
  },

  async 'lists and descriptions'(stage) {
    const topic = await stage.topic('listed', { partitions: 3 });
    const ids = ['a', 'b', 'c'].map((base) => stage.name(`tx-listed-${base}`));
    // The run is part of the names, so that the lists can be told from those of other runs.
    const own = ids.map((id) => id.replace('tx-listed', stage.name('tx-listed')));
    const members = [];
    for (const id of own) {
      await stage.coordinator(id);
      members.push(await init(stage, id));
    }
    await list(stage);
    await add(stage, own[0]!, members[0]!, topic, { partitions: [0, 2] });
    await addAsBroker(stage, own[1]!, members[1]!, topic, { verifyOnly: true });
    await addAsBroker(stage, own[1]!, members[1]!, topic, { partitions: [1, 2] });
    await addAsBroker(stage, own[1]!, members[1]!, topic, { partitions: [1, 9] });
    await addAsBroker(stage, own[1]!, members[1]!, topic, { verifyOnly: true, partitions: [0, 1] });
    await addAsBroker(stage, own[1]!, members[1]!, topic, { verifyOnly: true, version: 4 });
    await addAsBroker(stage, own[1]!, { ...members[1]!, epoch: 7 }, topic, {});
    await addAsBroker(stage, stage.name('nobody'), members[1]!, topic, { verifyOnly: true });
    await addAsBroker(stage, '', members[1]!, topic, { verifyOnly: true });
    await list(stage);
    await list(stage, { states: ['Ongoing'] });
    await list(stage, { states: ['Ongoing', 'Nonsense'] });
    await list(stage, { states: ['Nonsense'] });
    await list(stage, { producers: [members[2]!] });
    await list(stage, { durationMs: 3_600_000 });
    await list(stage, { durationMs: 0, states: ['Ongoing', 'Empty'] });
    await list(stage, { pattern: '.*-a.*' });
    await list(stage, { pattern: '(' });
    for (const id of own) await state(stage, id);
    await state(stage, '');
    await state(stage, stage.name('nobody'));
    await producers(stage, topic, 5);
    await producers(stage, stage.name('nothing'));
  },

  async 'markers written by a tool'(stage) {
    const topic = await stage.topic('hanging');
    const id = stage.name('tx-hanging');
    await stage.coordinator(id);
    const producer = await init(stage, id);
    await add(stage, id, producer, topic);
    await produce(stage, topic, producer, { transactionalId: id });
    await writeMarker(stage, topic, { ...producer, epoch: -1 });
    await writeMarker(stage, topic, producer, { version: 2, transactionVersion: 2 });
    await writeMarker(stage, stage.name('nothing'), producer);
    await writeMarker(stage, topic, producer, { coordinatorEpoch: 3 });
    await fetch(stage, topic, { committed: true });
    await writeMarker(stage, topic, producer, { coordinatorEpoch: 2 });
    await producers(stage, topic);
    await writeMarker(
      stage,
      topic,
      { ...producer, epoch: 1 },
      { version: 2, transactionVersion: 2, coordinatorEpoch: 4 },
    );
    await producers(stage, topic);
    await produce(stage, topic, producer, { transactionalId: id, sequence: 2 });
    await fetch(stage, topic, { committed: true });
  },

  async 'batches that are refused'(stage) {
    const topic = await stage.topic('refusing', { configs: { 'max.message.bytes': '500' } });
    const timestamp = stage.baseMs;
    const send = (label: string, records: Uint8Array | null, options = {}): Promise<void> =>
      produceBytes(stage, label, topic, records, options);
    const changed = (label: string, change: (batch: Buffer) => void, keepsCrc = false): Promise<void> => {
      const batch = batchOf({ values: ['a', 'b', 'c'], timestamp });
      change(batch);
      if (!keepsCrc) batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17);
      return send(label, batch);
    };
    const good = batchOf({ values: ['a'], timestamp });
    await send('nothing', Buffer.alloc(0));
    await send('two batches', Buffer.concat([good, good]));
    await send('too large', batchOf({ values: ['v'.repeat(500)], timestamp }));
    await send('wrong acks', good, { acks: 2 });
    await send('acks 1', good, { acks: 1 });
    await changed('wrong checksum', (batch) => batch.writeUInt32BE(1, 17), true);
    await changed('magic 1', (batch) => batch.writeInt8(1, 16), true);
    await changed('base offset', (batch) => batch.writeInt32BE(7, 4), true);
    await changed('control', (batch) => batch.writeInt16BE(0x30, 21));
    await changed('more records than there are', (batch) => batch.writeInt32BE(4, 57));
    await changed('more of both', (batch) => void (batch.writeInt32BE(4, 57), batch.writeInt32BE(3, 23)));
    await changed('fewer of both', (batch) => void (batch.writeInt32BE(2, 57), batch.writeInt32BE(1, 23)));
    await changed('a negative count', (batch) => batch.writeInt32BE(-1, 57));
    await changed('a negative delta', (batch) => batch.writeInt32BE(-5, 23));
    await changed('producer without sequence', (batch) => batch.writeInt32BE(7, 47));
    await send('from the future', batchOf({ values: ['a'], timestamp: timestamp + 10_000_000 }));
    await fetch(stage, topic);
    const stamped = await stage.topic('stamped', { configs: { 'message.timestamp.type': 'LogAppendTime' } });
    const producer = await init(stage, null);
    const identity = { producerId: producer.producerId, producerEpoch: producer.epoch };
    const once = (): Buffer => batchOf({ values: ['a', 'b'], timestamp, ...identity, baseSequence: 0 });
    await produceBytes(stage, 'stamped', stamped, once());
    await produceBytes(stage, 'stamped again', stamped, once());
    const strict = await stage.topic('strict', { configs: { 'min.insync.replicas': '2' } });
    await produceBytes(stage, 'too few replicas', strict, good);
    await produceBytes(stage, 'too few replicas, acks 1', strict, good, { acks: 1 });
  },

  async 'records deleted under transactions'(stage) {
    const topic = await stage.topic('deleted');
    const id = stage.name('tx-deleted');
    const other = stage.name('tx-other');
    await stage.coordinator(id);
    await stage.coordinator(other);
    const producer = await init(stage, id);
    const second = await init(stage, other);
    await add(stage, id, producer, topic);
    await add(stage, other, second, topic);
    await produce(stage, topic, producer, { transactionalId: id, values: ['a', 'b', 'c'] });
    await produce(stage, topic, second, { transactionalId: other });
    await deleteBefore(stage, topic, 1);
    await fetch(stage, topic, { offset: 1, committed: true });
    await fetch(stage, topic, { offset: 1 });
    await offsets(stage, topic, [LATEST, EARLIEST]);
    await deleteBefore(stage, topic, -1);
    await fetch(stage, topic, { offset: 5, committed: true });
    // Not the largest timestamp: Kafka still finds it in the segment that it has not removed.
    await offsets(stage, topic, [LATEST, EARLIEST]);
    await producers(stage, topic);
    await produce(stage, topic, producer, { transactionalId: id, sequence: 3 });
    await end(stage, id, producer, false);
    await fetch(stage, topic, { offset: 5, committed: true });
    await end(stage, other, second, false);
    await fetch(stage, topic, { offset: 5, committed: true });
    await fetch(stage, topic, { offset: 7, committed: true });
    await deleteBefore(stage, topic, 8);
    await fetch(stage, topic, { offset: 8, committed: true });
    await deleteBefore(stage, topic, -1);
    await add(stage, id, producer, topic);
    await produce(stage, topic, producer, { transactionalId: id, sequence: 5 });
    await producers(stage, topic);
    await fetch(stage, topic, { offset: 9, committed: true });
    await end(stage, id, producer, true);
    await fetch(stage, topic, { offset: 9, committed: true });
  },
};
