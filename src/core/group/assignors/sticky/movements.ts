// What was moved from whom to whom in one division, so that it does not move two partitions of a topic past each other.

import type { Place } from './group.ts';
import { HashedSet, textHash } from './hash-order.ts';

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Remembers each partition's move from its first holder to its newest. */
export class Movements {
  private readonly moves = new Map<Place, Move>();
  /** By topic and pair. */
  private readonly pairs = new Map<string, HashedSet<Place>>();

  record(place: Place, from: string, to: string): void {
    const earlier = this.moves.get(place);
    if (earlier === undefined) {
      this.add(place, { from, to });
      return;
    }
    this.moves.delete(place);
    const key = keyOf(place.topic, earlier);
    const pair = this.pairs.get(key)!;
    pair.delete(place);
    if (pair.size === 0) this.pairs.delete(key);
    if (earlier.from !== to) this.add(place, { from: earlier.from, to });
  }

  /** Instead of moving `place` from one member to another, what came the other way goes back. */
  insteadOf(place: Place, from: string, to: string): Place {
    const first = this.moves.get(place)?.from ?? from;
    const back = this.pairs.get(keyOf(place.topic, { from: to, to: first }));
    return back?.inOrder()[0] ?? place;
  }

  private add(place: Place, move: Move): void {
    this.moves.set(place, move);
    const key = keyOf(place.topic, move);
    let pair = this.pairs.get(key);
    if (pair === undefined) {
      pair = new HashedSet(placeHash);
      this.pairs.set(key, pair);
    }
    pair.add(place);
  }
}

function keyOf(topic: string, { from, to }: Move): string {
  return JSON.stringify([topic, from, to]);
}

/** As Java's `TopicPartition.hashCode`. */
function placeHash({ topic, partition }: Place): number {
  return (Math.imul(31, 31 + partition) + textHash(topic)) | 0;
}
