import { putInto, shareOf, takeFrom } from './assignment.ts';
import type { Share } from './assignment.ts';
import type { GroupSpec } from './group-spec.ts';
import { LoadLevels } from './load-levels.ts';

const NOBODY = -1;
const MAX_ROUNDS = 16;

/** `uniform` where members are subscribed to different topics: keep what is held, give away the rest, then move topic by topic until the loads are even. */
export function assignDifferent(group: GroupSpec): ReadonlyMap<string, Share> {
  const plan = new Plan(group);
  plan.giveAway();
  plan.balance();
  return plan.shares;
}

/** An assignment in the making; members go by their place in the group. */
class Plan {
  readonly shares = new Map<string, Share>();
  readonly #group: GroupSpec;
  readonly #places: Share[] = [];
  readonly #loads: number[] = [];
  readonly #subscribers = new Map<string, number[]>();
  readonly #owners = new Map<string, number[]>();
  /** The topics with the most partitions for each subscriber first. */
  readonly #topicIds: readonly string[];

  constructor(group: GroupSpec) {
    this.#group = group;
    [...group.members.values()].forEach(({ topicIds }, place) => {
      for (const topicId of topicIds) {
        const subscribers = this.#subscribers.get(topicId);
        if (subscribers !== undefined) subscribers.push(place);
        else this.#subscribers.set(topicId, [place]);
      }
    });
    for (const topicId of this.#subscribers.keys()) {
      this.#owners.set(topicId, new Array<number>(group.partitionsOf(topicId)).fill(NOBODY));
    }
    this.#topicIds = [...this.#subscribers.keys()].sort((a, b) => this.#compare(a, b));
    if (this.#topicIds.length > 0) this.#keep();
  }

  /** Gives each partition that nobody has to the least loaded subscriber. */
  giveAway(): void {
    for (const topicId of this.#topicIds) {
      const owners = this.#owners.get(topicId)!;
      if (!owners.includes(NOBODY)) continue;
      const levels = new LoadLevels(this.#subscribers.get(topicId)!, this.#loads);
      owners.forEach((owner, partition) => {
        if (owner === NOBODY) this.#move(topicId, partition, levels.nextLeast());
      });
    }
  }

  balance(): void {
    const topicIds = this.#topicIds.filter((topicId) => this.#subscribers.get(topicId)!.length > 1);
    let lastMoved: string | undefined;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      for (const topicId of topicIds) {
        // Every topic was looked at since the last move: it is as even as it gets.
        if (topicId === lastMoved) return;
        if (this.#balanceTopic(topicId) || lastMoved === undefined) lastMoved = topicId;
      }
    }
  }

  #keep(): void {
    let place = 0;
    for (const [memberId, { topicIds, assignment }] of this.#group.members) {
      const share = shareOf(assignment);
      let load = 0;
      for (const [topicId, partitions] of assignment) {
        if (topicIds.includes(topicId)) {
          load += partitions.length;
          for (const partition of partitions) this.#owners.get(topicId)![partition] = place;
        } else share.delete(topicId);
      }
      this.shares.set(memberId, share);
      this.#places.push(share);
      this.#loads.push(load);
      place++;
    }
  }

  /** Moves partitions of one topic from its most to its least loaded subscribers; true when any moved. */
  #balanceTopic(topicId: string): boolean {
    const levels = new LoadLevels(this.#subscribers.get(topicId)!, this.#loads);
    if (levels.spread <= 1) return false;
    const held = new Map<number, number[]>();
    this.#owners.get(topicId)!.forEach((owner, partition) => {
      const partitions = held.get(owner);
      if (partitions !== undefined) partitions.push(partition);
      else held.set(owner, [partition]);
    });
    let hasMoved = false;
    while (!levels.areEven) {
      let from = levels.nextMost();
      while (from !== undefined && (held.get(from)?.length ?? 0) === 0) {
        levels.excludeMost();
        from = levels.nextMost();
      }
      if (from === undefined) break;
      const partition = held.get(from)!.pop()!;
      const to = levels.nextLeast();
      if (levels.areEven) break;
      this.#move(topicId, partition, to);
      hasMoved = true;
    }
    return hasMoved;
  }

  #move(topicId: string, partition: number, to: number): void {
    const owners = this.#owners.get(topicId)!;
    const from = owners[partition]!;
    if (from !== NOBODY) {
      takeFrom(this.#places[from]!, topicId, partition);
      this.#loads[from]!--;
    }
    const fair = Math.ceil(this.#group.partitionsOf(topicId) / this.#subscribers.get(topicId)!.length);
    putInto(this.#places[to]!, topicId, partition, Math.floor(fair / 0.75 + 1));
    owners[partition] = to;
    this.#loads[to]!++;
  }

  #compare(a: string, b: string): number {
    const subscribers = (topicId: string): number => this.#subscribers.get(topicId)!.length;
    const ratio = (topicId: string): number => this.#group.partitionsOf(topicId) / subscribers(topicId);
    return ratio(b) - ratio(a) || subscribers(a) - subscribers(b) || compareUuids(a, b);
  }
}

/** Kafka compares uuids as two signed halves. */
function compareUuids(a: string, b: string): number {
  const [x, y] = [Buffer.from(a, 'base64url'), Buffer.from(b, 'base64url')];
  for (const at of [0, 8]) {
    const difference = x.readBigInt64BE(at) - y.readBigInt64BE(at);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}
