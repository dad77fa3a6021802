import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { UsageError } from '../../../errors.ts';

/** One of Kafka's errors, by name (`'NOT_LEADER_OR_FOLLOWER'`) or number. */
export type ErrorReference = keyof typeof ERRORS | number;

/** What a fault rule does to a request. */
export type FaultAction =
  | { readonly kind: 'error'; readonly code: number }
  | { readonly kind: 'applyThenError'; readonly code: number }
  | { readonly kind: 'applyThenDropResponse' }
  | { readonly kind: 'answerOnly'; readonly bytes: number }
  | { readonly kind: 'dropRequest' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'throttle'; readonly ms: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'rst' }
  | { readonly kind: 'halfOpen' };

function codeOf(error: ErrorReference): number {
  if (typeof error === 'number') return error;
  const code: number | undefined = ERRORS[error];
  if (code === undefined) throw new UsageError(`fault: Kafka has no error named '${error as string}'`, 'do');
  return code;
}

/** The acts of fault rules: `box.fault({ match: { api: 'Produce' }, do: fault.applyThenDropResponse })`. */
export const fault = {
  /** Answers with this error instead of doing the work; where the rule names a topic or partition, only there. */
  error: (error: ErrorReference): FaultAction => ({ kind: 'error', code: codeOf(error) }),
  /** Does the work and answers with this error all the same. */
  applyThenError: (error: ErrorReference): FaultAction => ({ kind: 'applyThenError', code: codeOf(error) }),
  /** Does the work and never answers; the connection goes on. */
  applyThenDropResponse: { kind: 'applyThenDropResponse' } satisfies FaultAction as FaultAction,
  /** Does the work, sends the first bytes of the answer and closes the connection. */
  answerOnly: (bytes: number): FaultAction => ({ kind: 'answerOnly', bytes }),
  /** As if the request had never come; the connection goes on. */
  dropRequest: { kind: 'dropRequest' } satisfies FaultAction as FaultAction,
  /** Does the work this much later; what follows on the connection waits, as it does behind a slow request. */
  delay: (ms: number): FaultAction => ({ kind: 'delay', ms }),
  /** Does the work, answers with this `throttleTimeMs`, and reads nothing from the connection for so long, as Kafka's quotas do. */
  throttle: (ms: number): FaultAction => ({ kind: 'throttle', ms }),
  /** Closes the connection in order, without doing the work. */
  close: { kind: 'close' } satisfies FaultAction as FaultAction,
  /** Resets the connection, without doing the work. */
  rst: { kind: 'rst' } satisfies FaultAction as FaultAction,
  /** From this request on the connection is silent for ever, and neither side is told. */
  halfOpen: { kind: 'halfOpen' } satisfies FaultAction as FaultAction,
} as const;
