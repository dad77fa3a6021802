import { describe, expect, it } from '@jest/globals';
import { debounceTime, filter as rxFilter, switchMap, take, type Observable } from 'rxjs';
import { UsageError } from '../../src/errors.ts';
import { map, settle } from '../../src/operators/index.ts';
import { ManualSource } from './manual-source.ts';

/** `pipe` as JavaScript sees it. */
const pipe = (...stages: readonly unknown[]): unknown => {
  const { flow } = new ManualSource<string>();
  return (flow.pipe as (...all: readonly unknown[]) => unknown).call(flow, ...stages);
};
const plain: readonly [string, (flow: Observable<unknown>) => unknown][] = [
  ['filter', rxFilter(() => true)],
  ['take', take(1)],
  ['debounceTime', debounceTime(1)],
  ['switchMap', switchMap(() => [])],
];

describe('pipe', () => {
  it.each(plain)('stops a plain %s and names the ways in', (_, operator) => {
    expect(() => pipe(map(String), operator)).toThrow(UsageError);
    expect(() => pipe(map(String), operator)).toThrow(/stage 2.*dropping\(.*passing\(.*perRecord\(/);
    expect(() => pipe(operator, map(String))).toThrow(/stage 1/);
  });

  it('refuses anything after settle()', () => {
    expect(() => pipe(settle(), map(String))).toThrow(/stage 2.*follows settle\(\)/);
    expect(() => pipe(settle(), take(1))).toThrow(UsageError);
  });

  it('refuses what is no operator', () => {
    expect(() => pipe(map(String), undefined)).toThrow(/stage 2 is not an operator/);
  });
});
