import { api } from '../api.ts';
import { int16, int32, nullableString, offset } from '../schema.ts';

/** Gives a producer its id and epoch. */
export const initProducerIdApi = api(
  { key: 22, name: 'InitProducerId', versions: '0-5', flexible: '2+' },
  {
    /** Null for a producer that is only idempotent. */
    transactionalId: nullableString(),
    /** An idle transaction is aborted after so long; without meaning when `transactionalId` is null. */
    transactionTimeoutMs: int32(),
    /** The id held so far, to have its epoch bumped (KIP-360), or -1. */
    producerId: offset({ versions: '3+', default: -1 }),
    producerEpoch: int16({ versions: '3+', default: -1 }),
  },
  {
    throttleTimeMs: int32({ default: 0, ignorable: true }),
    errorCode: int16(),
    producerId: offset({ default: -1 }),
    producerEpoch: int16(),
  },
);
