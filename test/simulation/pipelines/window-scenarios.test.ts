import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { scenarios, type Scenario, type Stage } from './scenario.ts';
import { tamed, windowScenarios } from './window-scenarios.ts';

const window = {
  op: 'tumblingWindow',
  sizeMs: 600,
  advances: 1,
  graceMs: 0,
  idleMs: 50,
  updates: false,
  perKey: false,
  keys: 1,
} as const;
const any = fc.sample(scenarios, { seed: 1, numRuns: 1 })[0]!;
const opsOf = (lane: readonly Stage[] | undefined, stages: readonly Stage[]): string[] => {
  const scenario: Scenario = tamed({ ...any, lane, stages });
  return [...(scenario.lane ?? []), ...scenario.stages].map(({ op }) => op);
};
const map: Stage = { op: 'map' };
const each: Stage = { op: 'batch', maxRecords: 3, withinMs: 20, then: 'each' };
const exhaust: Stage = { op: 'exhaustByKey', keys: 1, concurrency: 1, maxMs: 5, children: 1 };

describe('scenarios with windows', () => {
  it('keep windows by event time where the same ones come again', () => {
    expect(opsOf([map, window], [map, window])).toEqual(['map', 'tumblingWindow', 'map', 'tumblingWindow']);
    expect(opsOf([each, window], [])).toEqual(['batch', 'tumblingWindow']);
    expect(opsOf([window, exhaust], [])).toEqual(['tumblingWindow', 'exhaustByKey']);
  });

  it('have windows by the clock behind what lets other values through, batches of several claims, and batches that move offsets', () => {
    const clocked = 'processingTimeWindow';
    expect(opsOf([exhaust], [map, window])).toEqual(['exhaustByKey', 'map', clocked]);
    expect(opsOf(undefined, [{ op: 'fanOut', branches: [[map], [exhaust]] }, window])).toEqual([
      'fanOut',
      clocked,
    ]);
    expect(opsOf([map], [each, window])).toEqual(['map', 'batch', clocked]);
    expect(opsOf([each, { ...window, perKey: true }], [])).toEqual(['batch', clocked]);
    expect(opsOf([each, { ...window, op: 'sessionWindow' }], [])).toEqual(['batch', clocked]);
  });

  it('have a time bound for what a count window keeps', () => {
    const count: Stage = { op: 'countWindow', records: 7, keys: 2, then: 'each' };
    expect(
      tamed({ ...any, lane: undefined, stages: [{ op: 'fanOut', branches: [[count], []] }] }).stages,
    ).toEqual([
      { op: 'fanOut', branches: [[{ op: 'batch', maxRecords: 7, withinMs: 3000, then: 'each' }], []] },
    ]);
  });

  it('have windows of every kind', () => {
    const text = JSON.stringify(fc.sample(windowScenarios, { seed: 1, numRuns: 200 }));
    for (const op of ['tumblingWindow', 'hoppingWindow', 'sessionWindow', 'processingTimeWindow'])
      expect(text.split(`"${op}"`).length).toBeGreaterThan(10);
  });
});
