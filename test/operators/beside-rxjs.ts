// The same diagram through one of our operators and through RxJS's, in virtual time.
import { fc } from '../helpers/fast-check.ts';
import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { Op } from '../../src/flow/op.ts';
import { marbleSource, testFlow } from '../../src/testing/marbles.ts';

/** `3:a`, `7:|`. */
export type Seen = readonly string[];

/** Diagrams of up to 24 ms, two values at most in one ms, with an end. */
export const diagrams = fc
  .array(fc.constantFrom('-', '-', '-', 'a', 'b', 'c', '(ab)'), { minLength: 1, maxLength: 24 })
  .map((parts) => `${parts.join('')}|`);

/** What comes out of RxJS's operator. */
export function rxjsOn<R = string>(diagram: string, operator: OperatorFunction<string, R>): Seen {
  const scheduler = new TestScheduler(() => undefined);
  const seen: string[] = [];
  scheduler.run(({ cold }) => {
    cold(diagram)
      .pipe(operator)
      .subscribe({
        next: (value) => seen.push(`${scheduler.frame}:${String(value)}`),
        error: (cause) => seen.push(`${scheduler.frame}:#${String(cause)}`),
        complete: () => seen.push(`${scheduler.frame}:|`),
      });
  });
  return seen;
}

/** What comes out of ours, every delivery acknowledged as it comes; fails when one is left over. */
export function oursOn<R = string>(diagram: string, operator: Op<string, R>): Seen {
  const seen: string[] = [];
  let left = '';
  let source: ReturnType<typeof marbleSource> | undefined;
  testFlow(({ flow }) => {
    const letters = flow(diagram);
    source = marbleSource(letters);
    const { clock } = source;
    letters.pipe(operator).subscribe({
      next: (delivery) => {
        seen.push(`${clock.now()}:${String(delivery.value)}`);
        delivery.ack();
      },
      error: (cause: unknown) => seen.push(`${clock.now()}:#${String(cause)}`),
      complete: () => seen.push(`${clock.now()}:|`),
    });
  });
  const acks = source!.events.filter(({ kind }) => kind === 'ack').length;
  const values = diagram.replace(/[^a-z]/g, '').length;
  if (acks !== values) left = `${values - acks} of ${values} records are unsettled`;
  if (source!.problems.length > 0) left += JSON.stringify(source!.problems);
  return left === '' ? seen : [...seen, left];
}

/** The two, for comparing by `toEqual`. */
export function both(
  diagram: string,
  ours: Op<string, string>,
  rxjs: MonoTypeOperatorFunction<string>,
): { readonly ours: Seen; readonly rxjs: Seen } {
  return { ours: oursOn(diagram, ours), rxjs: rxjsOn(diagram, rxjs) };
}
