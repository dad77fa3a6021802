// What a tested topology is still waiting for: the difference between idle and stuck, in words.
import type { Delivery } from '../../flow/delivery.ts';
import type { KeepingStage } from '../../flow/keeping-stage.ts';
import type { PartitionStanding } from '../../flow/runtime.ts';
import type { BrokerBox } from '../broker/broker-box.ts';
import type { TopologyPlan } from './plan.ts';
import type { RunMember } from './run-member.ts';

/** Where records of one partition are. */
interface Kept {
  /** In stages that collect. */
  readonly collected: Set<number>;
  /** In other stages, by offset: the name of the last of them. */
  readonly busy: Map<number, KeepingStage>;
}

const NO_RECORDS: Kept = { collected: new Set(), busy: new Map() };

/** One line for each thing that is not done and that no batch or window waits with on purpose; none when the topology is idle. */
export function whatWaits(plan: TopologyPlan, box: BrokerBox, members: readonly RunMember[]): string[] {
  const lines: string[] = [];
  const read = new Set<string>();
  for (const member of members) {
    const kept = keptBy(member);
    for (const standing of member.standings()) {
      const { groupId, topic, partition } = standing;
      const place = `${topic}-${partition}`;
      if (groupId !== undefined) read.add(`${groupId} ${place}`);
      const why = whyWaiting(standing, box, kept.get(place) ?? NO_RECORDS, member);
      if (why !== undefined) lines.push(`${place}${why} (${member.name})`);
    }
    const { plainUnsettled } = member;
    if (plainUnsettled > 0)
      lines.push(`${plainUnsettled} values of a source outside the cluster are not settled (${member.name})`);
  }
  const up = members.some(({ isUp }) => isUp);
  for (const { groupId, reads } of plan.groups) {
    for (const topic of box.topics()) {
      if (!reads(topic)) continue;
      for (let partition = 0; partition < partitionsOf(box, topic); partition++) {
        if (read.has(`${groupId} ${topic}-${partition}`)) continue;
        const { highWatermark, logStartOffset } = box.partition(topic, partition);
        const from = box.committed(groupId, topic, partition)?.offset ?? logStartOffset;
        if (from >= highWatermark) continue;
        const who = up ? `no member of group '${groupId}' has it at the moment` : 'no member runs';
        lines.push(`${topic}-${partition} offset ${from} to ${highWatermark - 1}: ${who}`);
      }
    }
  }
  return lines;
}

/** Records that nobody is going to settle, as far as can be told: handed over, and in no stage. One line for each partition. */
export function whatLeaked(members: readonly RunMember[]): string[] {
  const lines: string[] = [];
  for (const member of members) {
    const kept = keptBy(member);
    for (const { topic, partition, commitPoint, unsettled } of member.standings()) {
      const { collected, busy } = kept.get(`${topic}-${partition}`) ?? NO_RECORDS;
      const known = new Set([...collected, ...busy.keys()]);
      if (known.size >= unsettled) continue;
      const first = known.has(commitPoint) ? '' : `, the first at offset ${commitPoint}`;
      lines.push(
        `${topic}-${partition}: ${unsettled - known.size} of ${unsettled} unsettled records are in no stage${first}`,
      );
    }
  }
  return lines;
}

/** How many partitions a topic has now. */
export function partitionsOf(box: BrokerBox, topic: string): number {
  for (let count = 0; ; count++) {
    try {
      box.partition(topic, count);
    } catch {
      return count;
    }
  }
}

function whyWaiting(
  standing: PartitionStanding,
  box: BrokerBox,
  { collected, busy }: Kept,
  member: RunMember,
): string | undefined {
  const { groupId, topic, partition, position, commitPoint, unsettled, startOffset, ended } = standing;
  if (unsettled > 0 && (busy.size > 0 || collected.size < unsettled))
    return unsettledWhere(standing, collected, busy);
  const { highWatermark } = box.partition(topic, partition);
  if (!ended && position < highWatermark) {
    const left = `${highWatermark - position} records from offset ${position} on are not handed over`;
    if (member.state === 'frozen') return `: ${left}: its process stands still`;
    return `: ${left}: paused, out of credit (${unsettled} unsettled), or on their way`;
  }
  if (groupId === undefined) return undefined;
  const committed = box.committed(groupId, topic, partition)?.offset ?? startOffset;
  return committed < commitPoint
    ? `: settled up to offset ${commitPoint}, committed up to ${committed}`
    : undefined;
}

function unsettledWhere(
  { commitPoint, unsettled, ageMs }: PartitionStanding,
  collected: ReadonlySet<number>,
  busy: ReadonlyMap<number, KeepingStage>,
): string {
  const [first = commitPoint] = [...busy.keys()].sort((a, b) => a - b);
  const stage = busy.get(first);
  if (stage === undefined) {
    const which = collected.has(commitPoint)
      ? `: one of ${unsettled} unsettled records`
      : ` offset ${commitPoint}`;
    return `${which} is in no stage of this library: a dead letter on its way, a stage of your own, or a leak`;
  }
  const others = unsettled > 1 ? `, one of ${unsettled} unsettled records,` : '';
  const age = first === commitPoint ? ` for ${Math.round(ageMs)} ms` : '';
  const { stageName, calls = 0 } = stage;
  const does =
    calls === 0
      ? ''
      : `, which waits for ${calls === 1 ? 'a call' : `${calls} calls`} of your code to come back`;
  return ` offset ${first}${others} is in stage ${stageName}${age}${does}`;
}

/** Where the unsettled records of a member are, by `topic-partition`. */
function keptBy(member: RunMember): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  for (const stage of member.stages()) {
    // Never true, so that it sees all of them.
    stage.keepsSome((delivery: Delivery<unknown>) => {
      for (const { record } of delivery.origins) {
        if (record === undefined) continue;
        const place = `${record.topic}-${record.partition}`;
        let one = kept.get(place);
        if (one === undefined) {
          one = { collected: new Set(), busy: new Map() };
          kept.set(place, one);
        }
        if (stage.collects === true) one.collected.add(record.offset);
        else if (!one.busy.has(record.offset)) one.busy.set(record.offset, stage);
      }
      return false;
    });
  }
  return kept;
}
