import { api } from '../api.ts';
import { array, bool, int16, int32, int8, nullableArray, nullableString, string } from '../schema.ts';

/** Configurations of topics, brokers, client metrics and groups. */
export const describeConfigsApi = api(
  { key: 32, name: 'DescribeConfigs', versions: '1-4', flexible: '4+' },
  {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      /** Null asks for all. */
      configurationKeys: nullableArray(string()),
    }),
    includeSynonyms: bool({ default: false }),
    includeDocumentation: bool({ versions: '3+', default: false }),
  },
  {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: nullableString(),
        readOnly: bool(),
        configSource: int8({ default: -1, ignorable: true }),
        isSensitive: bool(),
        synonyms: array({ name: string(), value: nullableString(), source: int8() }, { ignorable: true }),
        configType: int8({ versions: '3+', default: 0, ignorable: true }),
        documentation: nullableString({ versions: '3+', ignorable: true }),
      }),
    }),
  },
);
