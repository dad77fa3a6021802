import { describe, expect, it } from '@jest/globals';
import { checkEvents } from './checks/all-checks.ts';
import { playClients } from './clients/play.ts';
import { PINNED } from './pinned-scenarios.ts';

describe('what once went wrong goes well', () => {
  it.each(PINNED)('$name', async ({ seed, scenario }) => {
    expect(checkEvents(await playClients(scenario, seed))).toEqual([]);
  });
});
