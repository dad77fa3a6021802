import type { ConsumerMember, OwnedPartitions } from './consumer-member.ts';

/** Which member has which partition, whether it may use it or has still to give it up. */
export class PartitionOwners {
  readonly #owners = new Map<string, Map<number, string>>();

  has(topicId: string, partition: number): boolean {
    return this.#owners.get(topicId)?.has(partition) === true;
  }

  add(member: ConsumerMember): void {
    for (const [topicId, partition] of each(member)) {
      const owners = this.#owners.get(topicId);
      if (owners !== undefined) owners.set(partition, member.id);
      else this.#owners.set(topicId, new Map([[partition, member.id]]));
    }
  }

  remove(member: ConsumerMember): void {
    for (const [topicId, partition] of each(member)) {
      const owners = this.#owners.get(topicId);
      if (owners?.get(partition) !== member.id) continue;
      owners.delete(partition);
      if (owners.size === 0) this.#owners.delete(topicId);
    }
  }
}

function* each(member: ConsumerMember): Iterable<[topicId: string, partition: number]> {
  yield* eachOf(member.assigned);
  yield* eachOf(member.revoking);
}

function* eachOf(owned: OwnedPartitions): Iterable<[topicId: string, partition: number]> {
  for (const [topicId, partitions] of owned) {
    for (const partition of partitions.keys()) yield [topicId, partition];
  }
}
