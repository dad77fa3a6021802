import { api } from '../api.ts';
import { array, int16, int32, nullableString, string, uuid } from '../schema.ts';

/** Deletes topics: by name up to version 5 (`topicNames`), by name or id from version 6 (`topics`). */
export const deleteTopicsApi = api(
  { key: 20, name: 'DeleteTopics', versions: '1-6', flexible: '4+' },
  {
    topics: array({ name: nullableString({ default: null }), topicId: uuid() }, { versions: '6+' }),
    topicNames: array(string(), { versions: '0-5', ignorable: true }),
    timeoutMs: int32(),
  },
  {
    throttleTimeMs: int32({ default: 0, ignorable: true }),
    responses: array({
      name: nullableString({ nullable: '6+' }),
      topicId: uuid({ versions: '6+', ignorable: true }),
      errorCode: int16(),
      errorMessage: nullableString({ versions: '5+', default: null, ignorable: true }),
    }),
  },
);
