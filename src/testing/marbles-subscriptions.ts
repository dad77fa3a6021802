// When a marble flow was subscribed, as diagrams of `^` and `!`.
import { isDeepStrictEqual } from 'node:util';
import { TestScheduler } from 'rxjs/testing';

/** From when to when; Infinity for one that was never ended. */
export interface SubscriptionSpan {
  readonly subscribedFrame: number;
  readonly unsubscribedFrame: number;
}

function draw({ subscribedFrame, unsubscribedFrame }: SubscriptionSpan): string {
  const dashes = (count: number): string => (count > 20 ? ` ${count}ms ` : '-'.repeat(count));
  const start = `${dashes(subscribedFrame)}^`;
  if (unsubscribedFrame === Infinity) return `${start}-`;
  if (unsubscribedFrame === subscribedFrame) return `${dashes(subscribedFrame)}(^!)`;
  return `${start}${dashes(unsubscribedFrame - subscribedFrame - 1)}!`;
}

/** What a diagram stands for; to be asked while the test runs. */
export function spanOf(diagram: string): SubscriptionSpan {
  return TestScheduler.parseMarblesAsSubscriptions(diagram, true);
}

/** Throws when the subscriptions are not those expected, showing both as diagrams. */
export function expectSpans(
  actual: readonly SubscriptionSpan[],
  expected: readonly SubscriptionSpan[],
  diagrams: readonly string[],
): void {
  const plain = ({ subscribedFrame, unsubscribedFrame }: SubscriptionSpan): SubscriptionSpan => ({
    subscribedFrame,
    unsubscribedFrame,
  });
  if (isDeepStrictEqual(actual.map(plain), expected.map(plain))) return;
  const list = (lines: readonly string[]): string => (lines.length === 0 ? '(none)' : lines.join(', '));
  throw new Error(`subscriptions\n  expected  ${list(diagrams)}\n  got       ${list(actual.map(draw))}`);
}
