import { api } from '../api.ts';
import { array, bool, int16, int32, int8, nullableArray, nullableString, string, uuid } from '../schema.ts';

/** Creates topics. */
export const createTopicsApi = api(
  { key: 19, name: 'CreateTopics', versions: '2-7', flexible: '5+' },
  {
    topics: array({
      name: string(),
      /** -1 for the broker's default (4+) or with `assignments`. */
      numPartitions: int32(),
      /** -1 for the broker's default (4+) or with `assignments`. */
      replicationFactor: int16(),
      /** Empty for automatic placement. */
      assignments: array({ partitionIndex: int32(), brokerIds: array(int32()) }),
      configs: array({ name: string(), value: nullableString() }),
    }),
    timeoutMs: int32({ default: 60000 }),
    /** Check only, create nothing. */
    validateOnly: bool({ default: false }),
  },
  {
    throttleTimeMs: int32({ default: 0, ignorable: true }),
    topics: array({
      name: string(),
      topicId: uuid({ versions: '7+', ignorable: true }),
      errorCode: int16(),
      errorMessage: nullableString({ ignorable: true }),
      /** Why `configs` is null, when the caller may not see them. */
      topicConfigErrorCode: int16({ versions: '5+', tag: 0, ignorable: true }),
      numPartitions: int32({ versions: '5+', default: -1, ignorable: true }),
      replicationFactor: int16({ versions: '5+', default: -1, ignorable: true }),
      configs: nullableArray(
        {
          name: string(),
          value: nullableString(),
          readOnly: bool(),
          configSource: int8({ default: -1, ignorable: true }),
          isSensitive: bool(),
        },
        { versions: '5+', ignorable: true },
      ),
    }),
  },
);
