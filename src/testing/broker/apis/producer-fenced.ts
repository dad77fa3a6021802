import { ERRORS } from '../../../core/protocol/error-codes.ts';

/** Versions from before PRODUCER_FENCED say INVALID_PRODUCER_EPOCH instead. */
export function asOlder(errorCode: number, isOlder: boolean): number {
  return isOlder && errorCode === ERRORS.PRODUCER_FENCED ? ERRORS.INVALID_PRODUCER_EPOCH : errorCode;
}
