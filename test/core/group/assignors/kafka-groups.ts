// Random groups divided by Kafka's own client-side assignors (test/golden/group/GenerateClassic.java).
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { toAssignment } from '../../../../src/core/group/assignment.ts';
import type {
  Assignment,
  Assignor,
  MemberSubscription,
} from '../../../../src/core/group/assignors/assignor.ts';
import { decodeSubscription } from '../../../../src/core/protocol/consumer-protocol.ts';

type Share = { readonly [topic: string]: readonly number[] };

interface Division {
  readonly sent: readonly string[];
  readonly given: readonly Share[];
}

/** What each member was given. */
export type Shares = { readonly [memberId: string]: Share };

/** One division of a group by each assignor. */
export type Round = {
  readonly topics: { readonly [topic: string]: readonly (readonly string[])[] };
  readonly members: readonly (readonly [memberId: string, instanceId: string | null])[];
} & { readonly [assignor: string]: Division };

/** 200 groups, each a list of rounds. */
export function readGroups(): readonly (readonly Round[])[] {
  return JSON.parse(gunzipSync(readFileSync('test/golden/group/classic.json.gz')).toString()) as Round[][];
}

/** What Kafka's assignor gave, and what ours gives for the same bytes. */
export function divideBoth(assignor: Assignor, round: Round): { kafka: Shares; ours: Shares } {
  const { sent, given } = round[assignor.name]!;
  const members = round.members.map(([memberId, groupInstanceId], at): MemberSubscription => {
    const read = decodeSubscription(Buffer.from(sent[at]!, 'base64'));
    return { ...read, memberId, groupInstanceId, ownedPartitions: toAssignment(read.ownedPartitions) };
  });
  const counts = new Map(
    Object.entries(round.topics)
      .filter(([topic, { length }]) => length > 0 && members.some(({ topics }) => topics.includes(topic)))
      .map(([topic, { length }]) => [topic, length]),
  );
  const divided = assignor.assign(counts, members, new Map(Object.entries(round.topics)));
  return {
    kafka: Object.fromEntries(members.map(({ memberId }, at) => [memberId, given[at]!])),
    ours: Object.fromEntries(members.map(({ memberId }) => [memberId, plain(divided.get(memberId)!)])),
  };
}

/**
 * Whether every member was given only what it subscribes to. Kafka's sticky assignors, where subscriptions differ, now and then give a partition back to
 * a member that had it earlier and does not subscribe to it any more; ours do not.
 */
export function isValid(assignor: Assignor, round: Round, shares: Shares): boolean {
  return round.members.every(([memberId], at) => {
    const { topics } = decodeSubscription(Buffer.from(round[assignor.name]!.sent[at]!, 'base64'));
    return Object.keys(shares[memberId]!).every((topic) => topics.includes(topic));
  });
}

function plain(assignment: Assignment): Share {
  return Object.fromEntries([...assignment].map(([topic, partitions]) => [topic, [...partitions]]));
}
