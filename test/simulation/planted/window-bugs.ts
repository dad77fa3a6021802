// Bugs of windows that hold their records.
import { Handle, type Delivery } from '../../../src/flow/delivery.ts';
import { nobody, type Owner } from '../../../src/flow/owner.ts';
import type { Mark } from '../../../src/operators/windows/mark.ts';
import { WindowLane } from '../../../src/operators/windows/window-lane.ts';
import { WindowStage } from '../../../src/operators/windows/window-stage.ts';
import type { Windowed } from '../../../src/operators/windows/windowed.ts';
import { replaceMethod } from './replace.ts';

type Row = Windowed<number, unknown>;
type Emit = (this: unknown, row: Delivery<Row>) => void;

const EVERY = 5;
const TOO_FAR_MS = 3000;

/** Some rows are emitted as `instead` does it. */
function onSomeRows(instead: (row: Delivery<Row>, emit: (row: Delivery<Row>) => void) => void): () => void {
  let rows = 0;
  return replaceMethod<Emit>(
    WindowStage,
    'emit',
    (emit) =>
      function (row) {
        if (++rows % EVERY === 0) instead(row, (one) => emit.call(this, one));
        else emit.call(this, row);
      },
  );
}

/** Some rows are settled and never come out. */
export function loseRow(): () => void {
  return onSomeRows((row) => row.ack());
}

/** Some rows come out twice. */
export function repeatRow(): () => void {
  return onSomeRows((row, emit) => {
    const again = new Handle(row.value, nobody);
    emit(row);
    emit(again);
  });
}

/** A record is settled as soon as it is in its window. */
export function settleBeforeRow(): () => void {
  type TakeOver = (this: unknown, delivery: Delivery<unknown>) => Owner;
  return replaceMethod<TakeOver>(
    WindowLane,
    'takeOver',
    () =>
      function (delivery) {
        delivery.ack();
        return nobody;
      },
  );
}

/** The commits say that windows are done which are still open. */
export function markTooFar(): () => void {
  type MarkAt = (this: unknown, offset: number) => Mark;
  return replaceMethod<MarkAt>(
    WindowLane,
    'markAt',
    (markAt) =>
      function (offset) {
        const mark = markAt.call(this, offset);
        return { ...mark, closed: mark.closed + TOO_FAR_MS };
      },
  );
}
