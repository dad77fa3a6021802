import { api } from '../api.ts';
import { array, bool, int16, int32, int8, nullableString, string } from '../schema.ts';

/** The cluster's id, controller and nodes. */
export const describeClusterApi = api(
  { key: 60, name: 'DescribeCluster', versions: '0-2', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: bool(),
    /** 1: brokers; 2: controllers. */
    endpointType: int8({ versions: '1+', default: 1 }),
    /** Also nodes that are registered and not up. */
    includeFencedBrokers: bool({ versions: '2+' }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: nullableString({ default: null }),
    endpointType: int8({ versions: '1+', default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: nullableString({ default: null }),
      isFenced: bool({ versions: '2+' }),
    }),
    /** Bits of the operations that are allowed; -2147483648 when not asked for. */
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
);
