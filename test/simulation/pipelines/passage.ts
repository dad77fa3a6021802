// Follows values into a stage that may pass over some of them, and says when one did so without a reason.
import { ClaimStates } from '../../../src/flow/claim-states.ts';
import { handleOf, type Delivery } from '../../../src/flow/delivery.ts';
import { createFlow } from '../../../src/flow/flow.ts';
import type { Op } from '../../../src/flow/op.ts';
import { tap } from '../../../src/operators/index.ts';
import type { Item } from './pipeline.ts';
import type { Stage } from './scenario.ts';
import { Watched } from './watched.ts';

/** For which other value of its lane one may be passed over; lanes are of one claim, or of the member. */
interface Reason {
  readonly lanes: 'claim' | 'member';
  readonly for: 'later' | 'earlier' | 'either';
}

/** What a stage passes values over for. */
export function passesFor(stage: Stage): Reason {
  switch (stage.op) {
    case 'dedupe':
      return { lanes: 'member', for: 'either' };
    case 'distinct':
    case 'exhaustByKey':
      return { lanes: 'claim', for: 'earlier' };
    case 'throttle':
      return { lanes: 'claim', for: stage.trailing ? 'later' : 'earlier' };
    default:
      return { lanes: 'claim', for: 'later' };
  }
}

interface Lane {
  arrived: number;
}

export class Passage {
  private readonly isUsed: (item: Item) => boolean;
  private readonly end: (item: Item) => void;
  private readonly wrong: (what: string) => void;
  private readonly reason: Reason;
  private readonly key: (item: Item) => number;
  /** A value that was gathered with others belongs to the claim of the first, as in the stages. */
  private readonly claims = new ClaimStates<Map<number, Lane>>(() => new Map());
  private readonly ofMember = new Map<number, Lane>();
  private readonly out = new Set<number>();

  constructor(
    isUsed: (item: Item) => boolean,
    end: (item: Item) => void,
    wrong: (what: string) => void,
    reason: Reason,
    key: (item: Item) => number,
  ) {
    this.isUsed = isUsed;
    this.end = end;
    this.wrong = wrong;
    this.reason = reason;
    this.key = key;
  }

  enter(): Op<Item, Item> {
    return (flow) =>
      createFlow((subscriber) =>
        flow.subscribe({
          next: (delivery) => {
            const item = delivery.value;
            const lane = this.laneOf(delivery);
            const number = lane.arrived++;
            subscriber.next(
              handleOf(delivery).relay((owner) => new Watched(owner, () => this.settled(item, lane, number))),
            );
          },
          error: (cause: unknown) => subscriber.error(cause),
          complete: () => subscriber.complete(),
        }),
      );
  }

  leave(): Op<Item, Item> {
    return tap((item) => void this.out.add(item.token));
  }

  private laneOf(delivery: Delivery<Item>): Lane {
    const lanes = this.reason.lanes === 'member' ? this.ofMember : this.claims.of(delivery);
    const key = this.key(delivery.value);
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = { arrived: 0 };
      lanes.set(key, lane);
    }
    return lane;
  }

  private settled(item: Item, { arrived }: Lane, number: number): void {
    if (this.isUsed(item) || this.out.has(item.token)) return;
    const isLater = arrived > number + 1;
    const isEarlier = number > 0;
    const reason = this.reason.for;
    if ((reason !== 'earlier' && isLater) || (reason !== 'later' && isEarlier)) this.end(item);
    else this.wrong(`settles value ${item.token}, for which there is no other ${reason} one`);
  }
}
