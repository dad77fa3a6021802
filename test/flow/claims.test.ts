import { describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { UsageError } from '../../src/errors.ts';
import { createClaims } from '../../src/flow/claims.ts';
import { collect } from './manual-source.ts';

describe('Claims', () => {
  it('can be subscribed once; the second time is an error that names fanOut', () => {
    let opened = 0;
    const claims = createClaims<string>({
      name: "fromGroup 'orders'",
      rebalances: NEVER,
      open: () => void opened++,
    });
    collect(claims);
    const second = collect(claims);
    expect(opened).toBe(1);
    expect(second.ended[0]).toBeInstanceOf(UsageError);
    expect(String(second.ended[0])).toMatch(/fromGroup 'orders' is subscribed a second time.*fanOut/);
  });
});
