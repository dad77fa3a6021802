import { describe, expect, it } from '@jest/globals';
import { byName, nextStep } from '../../../../src/core/group/consumer-protocol/reconciliation.ts';
import { readTopics, writeTopics } from '../../../../src/core/group/consumer-protocol/topic-partitions.ts';

const of = (some: Record<string, number[]>): Map<string, number[]> => new Map(Object.entries(some));
const named = (): boolean => true;

describe('the next step of a member', () => {
  it('gives up before it claims', () => {
    const { step } = nextStep(of({ a: [0, 1, 2] }), of({ a: [0, 3], b: [1] }), named);
    expect(step).toEqual({ kind: 'revoke', partitions: of({ a: [1, 2] }), left: of({ a: [0] }) });
  });

  it('claims what it gets beside what it keeps', () => {
    const { step } = nextStep(of({ a: [2] }), of({ a: [0, 2], b: [1] }), named);
    expect(step).toEqual({ kind: 'claim', owned: of({ a: [0, 2], b: [1] }) });
  });

  it('claims what has a name, and says what has none', () => {
    const next = nextStep(of({}), of({ a: [0], b: [1] }), (id) => id === 'a');
    expect(next).toEqual({ step: { kind: 'claim', owned: of({ a: [0] }) }, unnamed: ['b'] });
    const after = nextStep(of({ a: [0] }), of({ a: [0], b: [1] }), (id) => id === 'a');
    expect(after).toEqual({ step: { kind: 'rest' }, unnamed: ['b'] });
  });

  it('rests when it owns what it shall', () => {
    expect(nextStep(of({ a: [0, 1] }), of({ a: [1, 0] }), named).step).toEqual({ kind: 'rest' });
  });

  it('takes a topic and its successor of the same name for one', () => {
    expect(byName(of({ old: [0, 1], new: [1, 2] }), () => 'orders')).toEqual(of({ orders: [0, 1, 2] }));
  });

  it('reads what answers carry, and writes what requests do', () => {
    const wire = [
      { topicId: 'a', partitions: [2, 0] },
      { topicId: 'b', partitions: [] },
    ];
    expect(readTopics(wire)).toEqual(of({ a: [0, 2] }));
    expect(writeTopics(of({ a: [0, 2] }))).toEqual([{ topicId: 'a', partitions: [0, 2] }]);
  });
});
