// The short form of `npm run fuzz:broker`.
import { describe, expect, it } from '@jest/globals';
import { fuzzBroker } from '../../helpers/fuzz/fuzz-broker.ts';

describe('damaged requests of every API and version', () => {
  it('do not harm a box in memory', async () => {
    const report = await fuzzBroker({ requests: 10_000, seed: 7, over: 'memory' });
    expect(report.apis).toBeGreaterThan(35);
    expect(report.served).toBeGreaterThan(2_000);
    expect(report.closedByBroker).toBeGreaterThan(2_000);
  });

  it('do not harm a box over TCP', async () => {
    const report = await fuzzBroker({ requests: 2_000, seed: 8, over: 'tcp' });
    expect(report.served).toBeGreaterThan(500);
  });
});
