// Puts the timers and the time of day of this process on a virtual clock, for code that does not take a `Clock`.
import type { Clock, Timer } from '../../core/clock.ts';
import { UsageError } from '../../errors.ts';

/** What a timer function answers with: as Node's, so that `ref`, `unref` and `clearTimeout` work on it. */
class VirtualTimeout {
  timer: Timer | undefined;
  private readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }

  [Symbol.dispose](): void {
    this.timer?.cancel();
  }
}

type Callback = (...args: unknown[]) => void;

interface Replaced {
  setTimeout: unknown;
  setInterval: unknown;
  clearTimeout: unknown;
  clearInterval: unknown;
  Date: unknown;
}

const world = globalThis as unknown as Replaced;
let isReplaced = false;

/** Replaces them until the answer is called. @throws UsageError when they are replaced already. */
export function replaceTimers(clock: Clock): () => void {
  if (isReplaced)
    throw new UsageError(
      "testTopology: timers are virtual already; close() the test topology before, and run tests with timers: 'virtual' one at a time",
      'timers',
    );
  const before: Replaced = {
    setTimeout: world.setTimeout,
    setInterval: world.setInterval,
    clearTimeout: world.clearTimeout,
    clearInterval: world.clearInterval,
    Date: world.Date,
  };
  const made = new Map<number, VirtualTimeout>();
  let ids = 0;
  const open = (): VirtualTimeout => {
    const timeout = new VirtualTimeout(++ids);
    made.set(ids, timeout);
    return timeout;
  };
  const clear = (timeout: unknown): void => {
    const found = timeout instanceof VirtualTimeout ? timeout : made.get(Number(timeout));
    if (found === undefined) {
      // Made before, by the timers of the process.
      (before.clearTimeout as (timeout: unknown) => void)(timeout);
      return;
    }
    found.timer?.cancel();
    made.delete(Number(found));
  };
  Object.assign(world, {
    setTimeout: (callback: Callback, delayMs = 0, ...args: unknown[]) => {
      const timeout = open();
      timeout.timer = clock.setTimeout(
        () => {
          made.delete(Number(timeout));
          callback(...args);
        },
        Math.max(1, delayMs || 0),
      );
      return timeout;
    },
    setInterval: (callback: Callback, delayMs = 0, ...args: unknown[]) => {
      const timeout = open();
      const again = (): void => {
        timeout.timer = clock.setTimeout(
          () => {
            again();
            callback(...args);
          },
          Math.max(1, delayMs || 0),
        );
      };
      again();
      return timeout;
    },
    clearTimeout: clear,
    clearInterval: clear,
    Date: virtualDate(before.Date as DateConstructor, clock),
  });
  isReplaced = true;
  return () => {
    isReplaced = false;
    Object.assign(world, before);
    for (const timeout of made.values()) timeout.timer?.cancel();
  };
}

function virtualDate(real: DateConstructor, clock: Clock): DateConstructor {
  return new Proxy(real, {
    apply: () => new real(clock.wallNow()).toString(),
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [clock.wallNow()] : args, newTarget) as object,
    get: (target, name, receiver) =>
      name === 'now' ? () => clock.wallNow() : (Reflect.get(target, name, receiver) as unknown),
  });
}
