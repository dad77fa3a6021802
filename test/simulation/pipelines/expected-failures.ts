// What a member may fail with in a scenario: what was broken on purpose, and what its product says of it.
import { BrokerError, type KafkaError } from '../../../src/errors.ts';
import { isBrokenPeer } from '../../../src/core/network/broken-peer.ts';
import { Injected, LETTERS, OUTPUT } from './pipeline.ts';
import type { Act, Scenario } from './scenario.ts';

/** Where a member failed. */
export interface FailureCircumstances {
  readonly scenario: Pick<Scenario, 'acts' | 'deliveryTimeoutMs'>;
  /** It was told to end. */
  readonly isEnding: boolean;
  /** Nothing is broken any more. */
  readonly isMended: boolean;
}

/** True for a failure that was to be expected. */
export function isExpected(error: unknown, { scenario, isEnding, isMended }: FailureCircumstances): boolean {
  const causes = causesOf(error);
  if (causes.some((cause) => cause instanceof Injected)) return true;
  if (isMended) return false;
  const { acts, deliveryTimeoutMs } = scenario;
  const refuses = deliveryTimeoutMs !== undefined || acts.some(({ act }) => act === 'refuse');
  if (refuses && causes.some(isRefusal)) return true;
  // The last commit is refused when the claims are lost meanwhile, or has no answer in time.
  const { code, message } = error as KafkaError;
  const isCommit = /commit/i.test(`${code} ${message}`);
  if (isEnding && isCommit) return true;
  // Where an answer is left out, the next one comes in its place; a coordinator that answers like that to two commits in a row is given up.
  return isCommit && isBrokenPeer(error) && acts.some(leavesOutCommits);
}

function leavesOutCommits(act: Act): boolean {
  return (
    act.act === 'fault' &&
    act.api === 'OffsetCommit' &&
    (act.does === 'applyThenDropResponse' || act.does === 'dropRequest')
  );
}

/** A sink, or a dead letter, could not write. */
function isRefusal(cause: unknown): boolean {
  return cause instanceof BrokerError && cause.topic !== undefined && [OUTPUT, LETTERS].includes(cause.topic);
}

/** Every cause behind a failure. */
function causesOf(error: unknown): unknown[] {
  const inner =
    error instanceof AggregateError ? error.errors : [(error as { cause?: unknown } | undefined)?.cause];
  return [error, ...inner.filter((one) => one !== undefined).flatMap(causesOf)];
}
