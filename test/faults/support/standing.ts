// How far a group and the topic that it writes have come, for the message of a test that has waited too long.
import type { Kafka } from '../../../src/index.ts';

type Ends = readonly { readonly partition: number; readonly offset: number }[];

const offsets = (of: Ends): readonly (readonly [number, number])[] =>
  of.map(({ partition, offset }) => [partition, offset]);

/** Pairs of partition and offset. */
export async function standingOf(
  kafka: Kafka,
  { input, output, groupId }: { readonly input: string; readonly output: string; readonly groupId: string },
): Promise<object> {
  const admin = kafka.admin();
  return {
    committed: offsets(await admin.fetchOffsets(groupId)),
    read: offsets(await admin.listOffsets(input, 'latest')),
    written: offsets(await admin.listOffsets(output, 'latest')),
    stable: offsets(await admin.listOffsets(output, 'latest', { isolationLevel: 'read_committed' })),
    transactions: await admin.listTransactions(),
    group: await admin.describeGroups([groupId]),
  };
}
