import { api } from '../api.ts';
import { array, int16, int32, nullableString, offset, string, timestamp } from '../schema.ts';

/** The transactional ids that a broker coordinates. */
export const listTransactionsApi = api(
  { key: 66, name: 'ListTransactions', versions: '0-2', flexible: '0+' },
  {
    /** Empty: all states. */
    stateFilters: array(string()),
    /** Empty: all producers. */
    producerIdFilters: array(offset()),
    /** Only those that run for longer than so many milliseconds; negative for all. */
    durationFilter: timestamp({ versions: '1+', default: -1 }),
    /** A regular expression that the whole id must match. */
    transactionalIdPattern: nullableString({ versions: '2+', default: null }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({ transactionalId: string(), producerId: offset(), transactionState: string() }),
  },
);
