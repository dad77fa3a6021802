import { api } from '../api.ts';
import { array, bool, int16, int32, int8, nullableString, string } from '../schema.ts';

/** Changes the levels of features in force in the whole cluster. */
export const updateFeaturesApi = api(
  { key: 57, name: 'UpdateFeatures', versions: '0-2', flexible: '0+' },
  {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array({
      feature: string(),
      /** Below 1: out of force. */
      maxVersionLevel: int16(),
      allowDowngrade: bool({ versions: '0' }),
      /** 1: only up; 2: down where nothing is lost; 3: down in any case. */
      upgradeType: int8({ versions: '1+', default: 1 }),
    }),
    validateOnly: bool({ versions: '1+', default: false }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: nullableString(),
    results: array(
      { feature: string(), errorCode: int16(), errorMessage: nullableString() },
      { versions: '0-1', ignorable: true },
    ),
  },
);
