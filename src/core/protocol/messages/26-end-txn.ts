import { api } from '../api.ts';
import { bool, int16, int32, offset, string } from '../schema.ts';

/** Commits or aborts a transaction. From version 5 (`transaction.version` 2) the answer has the epoch of the next one. */
export const endTxnApi = api(
  { key: 26, name: 'EndTxn', versions: '0-5', flexible: '3+' },
  {
    transactionalId: string(),
    producerId: offset(),
    producerEpoch: int16(),
    /** False aborts. */
    committed: bool(),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    /** For the next transaction; another than before when the epochs of the old id are used up. */
    producerId: offset({ versions: '5+', default: -1, ignorable: true }),
    producerEpoch: int16({ versions: '5+', default: -1, ignorable: true }),
  },
);
