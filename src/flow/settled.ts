import { Observable, type Subscriber, type TeardownLogic } from 'rxjs';
import { subscribeEnd } from './runtime.ts';
import { plainRxOperatorLosesRecords_useSluiceOperatorOrWrap, type FlowEnd } from './op.ts';

/** The end of a flow as an ordinary Observable: its values are settled, so any RxJS operator may follow, and a topology may return it. */
export class Settled<out T> extends Observable<T> implements FlowEnd {
  declare readonly [plainRxOperatorLosesRecords_useSluiceOperatorOrWrap]: 'settled';

  protected constructor(subscribe: (subscriber: Subscriber<T>) => TeardownLogic) {
    super((subscriber) => subscribeEnd(subscriber, subscribe));
  }
}

Object.defineProperty(Settled.prototype, plainRxOperatorLosesRecords_useSluiceOperatorOrWrap, {
  value: 'settled',
});

class SettledFlow<out T> extends Settled<T> {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- the inherited one is protected
  constructor(subscribe: (subscriber: Subscriber<T>) => TeardownLogic) {
    super(subscribe);
  }
}

export function createSettled<T>(subscribe: (subscriber: Subscriber<T>) => TeardownLogic): Settled<T> {
  return new SettledFlow<T>(subscribe);
}
