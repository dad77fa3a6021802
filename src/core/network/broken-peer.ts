import { ProtocolError } from '../../errors.ts';

/**
 * True when what failed is what the peer sent (lying lengths, cut-off frames, bytes that are no answer), at whatever depth of causes: a broker
 * that is only down or slow fails otherwise.
 */
export function isBrokenPeer(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ProtocolError) return true;
  return false;
}
