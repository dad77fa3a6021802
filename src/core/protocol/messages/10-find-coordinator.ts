import { api } from '../api.ts';
import { array, int16, int32, int8, nullableString, string } from '../schema.ts';

/** Finds the broker that coordinates a group or a transactional id: one key up to version 3, several from version 4. */
export const findCoordinatorApi = api(
  { key: 10, name: 'FindCoordinator', versions: '0-6', flexible: '3+' },
  {
    key: string({ versions: '0-3' }),
    /** 0: group; 1: transactional id; 2: share group (6+). */
    keyType: int8({ versions: '1+', default: 0 }),
    coordinatorKeys: array(string(), { versions: '4+' }),
  },
  {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16({ versions: '0-3' }),
    errorMessage: nullableString({ versions: '1-3', ignorable: true }),
    nodeId: int32({ versions: '0-3' }),
    host: string({ versions: '0-3' }),
    port: int32({ versions: '0-3' }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: nullableString({ ignorable: true }),
      },
      { versions: '4+' },
    ),
  },
);
