import { UsageError } from '../errors.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage } from '../flow/value-stage.ts';
import { routing } from './routing.ts';

/** A branch and what goes down it; made by {@link when}, {@link whenIs} and {@link otherwise}. */
export interface Case<in A, out B> {
  readonly takes: (value: A) => boolean;
  readonly then: (flow: never) => unknown;
  /** For inference alone: what comes out of the branch. */
  readonly emits?: () => B;
}

/** Where a value goes for which `takes` holds, if no case before it took it. */
export function when<A, B>(takes: (value: A) => boolean, then: Op<A, B>): Case<A, B> {
  if (typeof takes !== 'function') throw new UsageError('when: the first argument is a predicate', 'takes');
  if (typeof then !== 'function') throw new UsageError('when: the second argument is an operator', 'then');
  return { takes, then };
}

/** As {@link when}, with a type guard, which narrows what the branch gets. */
export function whenIs<A, S extends A, B>(takes: (value: A) => value is S, then: Op<S, B>): Case<A, B> {
  return when(takes, then as Op<A, B>);
}

/** Where every value goes that no case before it took; the last case, if any. */
export function otherwise<A, B>(then: Op<A, B>): Case<A, B> {
  return when<A, B>(() => true, then);
}

/**
 * Sends each value down the first branch whose case takes it, and merges what the branches emit. A case that throws is a failure of its value, which
 * `onError` decides about. All branches share the credit, so the slowest sets the pace. From one case to eight; the options come last.
 *
 * @acks The branch that takes a value settles it. A value that no case takes, or whose branch has ended, is acknowledged, as by `filter`.
 *
 * @marbles
 * ```ts
 * const source = flow('abc-a|');
 * const stage = branch(when((x: string) => x === 'a', map((x) => x.toUpperCase())), when((x) => x === 'b', map((x) => x)));
 * expectFlow(source.pipe(stage)).toBe('Ab--A|');
 * expectAcks(source).toBe('abc-a');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(
 *   branch(
 *     when((order) => order.value.total > 1_000, toTopic('large', asJson)),
 *     when((order) => order.value.total > 0, toTopic('small', asJson)),
 *     otherwise(toTopic('odd', asJson)),
 *   ),
 * );
 * ```
 */
export function branch<A, B>(b: Case<A, B>): Op<A, B>;
export function branch<A, B, C>(b: Case<A, B>, c: Case<A, C>): Op<A, B | C>;
export function branch<A, B, C, D>(b: Case<A, B>, c: Case<A, C>, d: Case<A, D>): Op<A, B | C | D>;
export function branch<A, B, C, D, E>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
): Op<A, B | C | D | E>;
export function branch<A, B, C, D, E, F>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
): Op<A, B | C | D | E | F>;
export function branch<A, B, C, D, E, F, G>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
): Op<A, B | C | D | E | F | G>;
export function branch<A, B, C, D, E, F, G, H>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
  h: Case<A, H>,
): Op<A, B | C | D | E | F | G | H>;
export function branch<A, B, C, D, E, F, G, H, I>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
  h: Case<A, H>,
  i: Case<A, I>,
): Op<A, B | C | D | E | F | G | H | I>;
export function branch<A, B>(b: Case<A, B>, options: StageOptions<NoInfer<A>>): Op<A, B>;
export function branch<A, B, C>(
  b: Case<A, B>,
  c: Case<A, C>,
  options: StageOptions<NoInfer<A>>,
): Op<A, B | C>;
export function branch<A, B, C, D>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  options: StageOptions<NoInfer<A>>,
): Op<A, B | C | D>;
export function branch<A, B, C, D, E>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  options: StageOptions<NoInfer<A>>,
): Op<A, B | C | D | E>;
export function branch<A, B, C, D, E, F>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  options: StageOptions<NoInfer<A>>,
): Op<A, B | C | D | E | F>;
export function branch<A, B, C, D, E, F, G>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
  options: StageOptions<NoInfer<A>>,
): Op<A, B | C | D | E | F | G>;
export function branch<A, B, C, D, E, F, G, H>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
  h: Case<A, H>,
  options: StageOptions<NoInfer<A>>,
): Op<A, B | C | D | E | F | G | H>;
export function branch<A, B, C, D, E, F, G, H, I>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
  h: Case<A, H>,
  i: Case<A, I>,
  options: StageOptions<NoInfer<A>>,
): Op<A, B | C | D | E | F | G | H | I>;
export function branch<A>(
  ...given: readonly (Case<A, unknown> | StageOptions<A> | undefined)[]
): Op<A, unknown> {
  const last = given.at(-1);
  const options = isCase(last) ? undefined : last;
  const cases = given.filter((one) => one !== undefined && one !== options);
  if (cases.length === 0) throw new UsageError('branch: one case at least, made by when or otherwise');
  for (const one of cases)
    if (!isCase(one)) throw new UsageError('branch: a case is made by when, whenIs or otherwise');
  const all = cases as readonly Case<A, unknown>[];
  return routing<A>(
    'branch',
    namedStage<A>('branch', options),
    all.map(({ then }) => then as Op<A, unknown>),
    (value) => all.findIndex(({ takes }) => takes(value)),
  );
}

function isCase<A>(given: Case<A, unknown> | StageOptions<A> | undefined): given is Case<A, unknown> {
  return given !== undefined && 'takes' in given && 'then' in given;
}
