import { KafkaError, type BrokerError, type ClaimLostError, type UsageError } from '../errors.ts';
import type { StageError } from './stage-error.ts';

/** Every error of this library, told apart by `code`. */
export type SluiceError = BrokerError | UsageError | ClaimLostError | StageError;

const brand = Symbol.for('sluice.KafkaError');

/** True for an error of this library, of another copy of it too; `switch (error.code)` then narrows. */
export function isKafkaError(error: unknown): error is SluiceError {
  return error instanceof KafkaError || (typeof error === 'object' && error !== null && brand in error);
}
