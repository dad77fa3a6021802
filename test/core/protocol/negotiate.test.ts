import { describe, expect, it } from '@jest/globals';
import { UnsupportedVersionError } from '../../../src/errors.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { pickVersion } from '../../../src/core/protocol/negotiate.ts';

describe('pickVersion', () => {
  it('takes the highest version that both speak', () => {
    expect(pickVersion(fetchApi, { minVersion: 0, maxVersion: 11 })).toBe(11);
    expect(pickVersion(fetchApi, { minVersion: 4, maxVersion: 99 })).toBe(17);
    expect(pickVersion(fetchApi, { minVersion: 17, maxVersion: 18 })).toBe(17);
    expect(pickVersion(fetchApi, { minVersion: 0, maxVersion: 4 })).toBe(4);
  });

  it.each([
    [{ minVersion: 0, maxVersion: 3 }, 'speaks 4 to 17, the broker 0 to 3'],
    [{ minVersion: 18, maxVersion: 20 }, 'speaks 4 to 17, the broker 18 to 20'],
    [undefined, 'does not offer Fetch (api key 1); this client speaks versions 4 to 17'],
  ])('names both ranges when there is none in common: %j', (range, message) => {
    expect(() => pickVersion(fetchApi, range)).toThrow(UnsupportedVersionError);
    expect(() => pickVersion(fetchApi, range)).toThrow(message);
  });
});
