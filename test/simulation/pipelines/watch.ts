// The first stage of every pipeline: tells what is handed over, and, from the far side of all stages, what is settled.
import type { ConsumerRecord } from '../../../src/core/records/types.ts';
import { Handle, handleOf } from '../../../src/flow/delivery.ts';
import { createFlow } from '../../../src/flow/flow.ts';
import type { Op } from '../../../src/flow/op.ts';
import type { Owner, Rooted } from '../../../src/flow/owner.ts';
import type { PressureSource, Settlement, Verdict } from '../../../src/flow/settlement.ts';
import { handingKey } from './history.ts';
import type { HandingKey } from './history.ts';
import type { Recorder } from './recorder.ts';

interface Handing {
  readonly member: string;
  readonly source: string;
  readonly epoch: number;
  readonly offset: number;
}

/** Stands between the delivery tree and its root. */
class WatchedRoot implements Owner {
  private readonly root: Owner;
  private readonly handing: Handing;
  private readonly recorder: Recorder;

  constructor(root: Owner, handing: Handing, recorder: Recorder) {
    this.root = root;
    this.handing = handing;
    this.recorder = recorder;
  }

  shareSettled(held: boolean): void {
    this.recorder.add({ kind: 'acked', ...this.handing });
    this.root.shareSettled(held);
  }

  shareRejected(held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    this.recorder.add({ kind: 'left', ...this.handing });
    this.root.shareRejected(held, cause, verdict, rewindDelayMs);
  }

  shareGivenUp(held: boolean): void {
    this.recorder.add({ kind: 'left', ...this.handing });
    this.root.shareGivenUp(held);
  }

  shareHeld(): void {
    this.recorder.add({ kind: 'left', ...this.handing });
    this.root.shareHeld();
  }

  addRoots(into: Set<Rooted>): void {
    this.root.addRoots(into);
  }

  bytesBehind(): number {
    return this.root.bytesBehind();
  }

  newestTimestamp(): number {
    return this.root.newestTimestamp();
  }

  visitSettlements(visit: (settlement: Settlement) => void): void {
    this.root.visitSettlements(visit);
  }

  visitPressures(visit: (source: PressureSource) => void): void {
    this.root.visitPressures(visit);
  }

  everySettlement(test: (settlement: Settlement) => boolean): boolean {
    return this.root.everySettlement(test);
  }

  someSettlement(): Settlement | undefined {
    return this.root.someSettlement();
  }

  report(action: string): void {
    this.root.report(action);
  }
}

/** The name of a partition in a history. */
export function sourceName(group: string, topic: string, partition: number): string {
  return `${group}:${topic}-${partition}`;
}

/** A record under the name of its handing over. */
export interface Handed {
  readonly key: HandingKey;
  /** `source|offset`. */
  readonly place: string;
}

/** Records `handed`, `acked` and `left` of one group at one member. */
export function watch(
  recorder: Recorder,
  member: string,
  group: string,
): Op<ConsumerRecord<unknown, unknown>, Handed> {
  return (flow) =>
    createFlow<Handed>((out) =>
      flow.subscribe({
        next(delivery) {
          const { value, origins } = delivery;
          const handing: Handing = {
            member,
            source: sourceName(group, value.topic, value.partition),
            epoch: origins[0]!.claimEpoch,
            offset: value.offset,
          };
          const { source, epoch, offset } = handing;
          const handed = { key: handingKey(member, source, epoch, offset), place: `${source}|${offset}` };
          const owners: Owner[] = [];
          handleOf(delivery).moveInto(owners, []);
          recorder.add({ kind: 'handed', ...handing });
          out.next(new Handle(handed, new WatchedRoot(owners[0]!, handing, recorder)));
        },
        error: (cause) => out.error(cause),
        complete: () => out.complete(),
      }),
    );
}
