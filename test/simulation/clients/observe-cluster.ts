// What the cluster itself has done: what is in its logs, and what it committed.
import { BatchCursor } from '../../../src/core/records/batch-cursor.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import type { ClusterEvent } from '../../../src/testing/broker/cluster-event.ts';
import { sendOf } from './world.ts';
import type { World } from './world.ts';

/** Codecs must be loaded by now: the batch is read at the very moment it is appended. */
export function observeCluster(world: World): void {
  const { box, recorder, logEnds: ends } = world;
  box.watch((event: ClusterEvent) => {
    if (event.kind === 'commit') {
      const { clientId: process, groupId: group, topic, partition, offset } = event;
      const generation = world.terms.of(process, `${topic}-${partition}`, event.generationId);
      recorder.add({ kind: 'committed', process, group, topic, partition, generation, offset });
      return;
    }
    const { clientId: client, topic, partition, baseOffset: to } = event;
    // A node that started has become the leader, and did not have what was there.
    if (to < (ends.get(`${topic}-${partition}`) ?? 0))
      recorder.add({ kind: 'truncated', topic, partition, to });
    ends.set(`${topic}-${partition}`, event.lastOffset + 1);
    for (const batch of parseBatches(event.bytes, { topic, partition })) {
      const cursor = new BatchCursor(batch, topic, partition);
      world.largestBatchBytes = Math.max(world.largestBatchBytes, batch.bytes);
      const { isTransactional, producerId } = batch;
      for (let record = cursor.next(); record !== undefined; record = cursor.next()) {
        const appended = { topic, partition, client, offset: record.offset, send: sendOf(record.value) };
        recorder.add({ kind: 'appended', ...appended, ...(isTransactional ? { producerId } : {}) });
      }
    }
  });
}
