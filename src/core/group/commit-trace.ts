// What those who listen are told of a commit.

import type { Cluster } from '../cluster/cluster.ts';
import { commitEvents } from '../events/channels.ts';
import type { Generation, OffsetPoint } from './committer.ts';

/** As `committing`, which has just begun, and tells how it ended. */
export async function toldCommit(
  { clientId, clock }: Cluster,
  points: readonly OffsetPoint[],
  { groupId, memberId, generationId }: Generation,
  committing: Promise<void>,
): Promise<void> {
  const startedAt = clock.now();
  const offsets = points.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  const what = { clientId, groupId, memberId, generationId, offsets };
  try {
    await committing;
  } catch (error) {
    commitEvents.publish({ ...what, durationMs: clock.now() - startedAt, kind: 'failed', error });
    throw error;
  }
  commitEvents.publish({ ...what, durationMs: clock.now() - startedAt, kind: 'committed' });
}
