import { UsageError } from '../errors.ts';
import type { Claim } from '../flow/claim.ts';
import type { Claims } from '../flow/claims.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { mergeInner } from '../flow/merge-inner.ts';
import type { NameOption } from '../flow/policy.ts';
import { isFlow } from '../flow/stage-guard.ts';
import { titleOf } from './title.ts';

/**
 * Opens one lane per claim: `lane` is called for every partition this member is given, and again for each new claim epoch, so that batches,
 * windows and counts in it belong to one partition and begin anew after a rebalance or a rewind. The lane's flow completes when the claim is
 * given away; what the lanes emit is merged. A lane that ends before its claim leaves the rest of that partition unread until it is claimed
 * anew; an error in a lane is an error of the flow.
 *
 * @acks Settles nothing itself: a lane's stages do.
 *
 * @marbles
 * ```ts
 * const source = claims({ 'letters-0': 'ab-!', 'letters-1': '-c-d|' });
 * const pairs = (claim: Claim<string>) => claim.pipe(countWindow({ records: 2 }), map((values) => values.join('')));
 * expectFlow(source.pipe(eachClaim(pairs))).toBe('-x-y|', { x: 'ab', y: 'cd' });
 * expectAcks(source).toBe({ 'letters-0': '-(ab)', 'letters-1': '---(cd)' });
 * ```
 *
 * @example
 * ```ts
 * fromGroup(options).pipe(eachClaim((claim) => claim.pipe(batch({ maxRecords: 100, withinMs: 50 }))));
 * ```
 */
export function eachClaim<A, B>(
  lane: (claim: Claim<A>) => Flow<B>,
  options: NameOption = {},
): (claims: Claims<A>) => Flow<B> {
  const title = titleOf('eachClaim', options);
  return (claims) =>
    createFlow((out) =>
      mergeInner<Claim<A>, B>(
        claims.claims,
        (claim) => {
          const flow: unknown = lane(claim);
          if (!isFlow(flow)) throw new UsageError(`${title}: the lane did not answer with a Flow`);
          return flow as Flow<B>;
        },
        out,
      ),
    );
}
