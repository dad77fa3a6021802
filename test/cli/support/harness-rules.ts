// What Kafka's system tests demand of the events of verifiable consumers that share a group.

interface Place {
  readonly topic: string;
  readonly partition: number;
}

interface ConsumedPart extends Place {
  readonly count: number;
  readonly minOffset: number;
  readonly maxOffset: number;
}

const keyOf = ({ topic, partition }: Place): string => `${topic}-${partition}`;

/** Watches the events of all members of one group; each broken rule is one line of `broken`. */
export class HarnessRules {
  readonly broken: string[] = [];
  /** Offsets that were reported consumed, by partition; how often each. */
  readonly consumed = new Map<string, Map<number, number>>();
  /** The last committed offset of each partition, as reported. */
  readonly committed = new Map<string, number>();
  private readonly positions = new Map<string, number>();

  member(name: string): MemberRules {
    return new MemberRules(name, this);
  }

  /** Distinct records consumed. */
  get total(): number {
    let total = 0;
    for (const offsets of this.consumed.values()) total += offsets.size;
    return total;
  }

  get totalCommitted(): number {
    return [...this.committed.values()].reduce((sum, offset) => sum + offset, 0);
  }

  onConsumed(part: ConsumedPart, say: (what: string) => void): void {
    const key = keyOf(part);
    const committed = this.committed.get(key) ?? 0;
    if (committed > part.minOffset)
      say(`consumed ${key} at ${part.minOffset}, behind the commit ${committed}`);
    if (part.maxOffset - part.minOffset + 1 !== part.count)
      say(`counts ${part.count} records from ${part.minOffset} to ${part.maxOffset} of ${key}`);
    const offsets = this.consumed.get(key) ?? new Map<number, number>();
    for (let offset = part.minOffset; offset <= part.maxOffset; offset++)
      offsets.set(offset, (offsets.get(offset) ?? 0) + 1);
    this.consumed.set(key, offsets);
    this.positions.set(key, part.maxOffset + 1);
  }

  onCommitted(place: Place & { readonly offset: number }, say: (what: string) => void): void {
    const key = keyOf(place);
    const position = this.positions.get(key) ?? -1;
    if (place.offset > position)
      say(`committed ${key} at ${place.offset}, ahead of its position ${position}`);
    if (place.offset < (this.committed.get(key) ?? 0)) say(`committed ${key} back to ${place.offset}`);
    this.committed.set(key, place.offset);
  }
}

/** The rules of one member. */
class MemberRules {
  state: 'dead' | 'started' | 'joined' | 'rebalancing' = 'dead';
  assignment: string[] = [];
  rebalances = 0;
  consumed = 0;
  private readonly positions = new Map<string, number>();
  private readonly name: string;
  private readonly group: HarnessRules;

  constructor(name: string, group: HarnessRules) {
    this.name = name;
    this.group = group;
  }

  /** For members that were killed and say nothing any more. */
  killed(): void {
    this.state = 'dead';
    this.assignment = [];
    this.positions.clear();
  }

  see(event: Record<string, any>): void {
    switch (event['name']) {
      case 'startup_complete':
        this.state = 'started';
        break;
      case 'partitions_assigned':
        this.rebalances += 1;
        this.state = 'joined';
        this.assignment = (event['partitions'] as Place[]).map(keyOf);
        break;
      case 'partitions_revoked':
        for (const place of event['partitions'] as Place[])
          if (!this.assignment.includes(keyOf(place)))
            this.say(`revoked ${keyOf(place)}, which it did not have`);
        this.state = 'rebalancing';
        this.positions.clear();
        break;
      case 'records_consumed':
        this.onConsumed(event['count'] as number, event['partitions'] as ConsumedPart[]);
        break;
      case 'offsets_committed':
        if (event['success'] === true) this.onCommitted(event['offsets'] as (Place & { offset: number })[]);
        break;
      case 'shutdown_complete':
        this.killed();
        break;
    }
  }

  private onConsumed(count: number, parts: readonly ConsumedPart[]): void {
    if (this.state !== 'joined') this.say(`consumed records while ${this.state}`);
    if (parts.reduce((sum, part) => sum + part.count, 0) !== count)
      this.say(`counts ${count} records wrongly`);
    this.consumed += count;
    for (const part of parts) {
      const key = keyOf(part);
      if (!this.assignment.includes(key)) this.say(`consumed ${key}, which it does not have`);
      const position = this.positions.get(key);
      if (position !== undefined && position !== part.minOffset)
        this.say(`consumed ${key} from ${part.minOffset} instead of ${position}`);
      this.positions.set(key, part.maxOffset + 1);
      this.group.onConsumed(part, (what) => this.say(what));
    }
  }

  private onCommitted(offsets: readonly (Place & { readonly offset: number })[]): void {
    for (const one of offsets) {
      const key = keyOf(one);
      if (!this.assignment.includes(key)) this.say(`committed ${key}, which it does not have`);
      const position = this.positions.get(key);
      if (position === undefined) this.say(`committed ${key} without a position`);
      else if (one.offset > position) this.say(`committed ${key} at ${one.offset}, position ${position}`);
      this.group.onCommitted(one, (what) => this.say(what));
    }
  }

  private say(what: string): void {
    this.group.broken.push(`${this.name} ${what}`);
  }
}
