import { describe, expect, it } from '@jest/globals';
import { JoinedSignal } from '../../src/core/joined-signal.ts';

describe('JoinedSignal', () => {
  it('aborts with the reason of the first of its signals', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const { signal } = new JoinedSignal([a.signal, b.signal]);
    expect(signal.aborted).toBe(false);
    b.abort('second');
    a.abort('first');
    expect(signal.reason).toBe('second');
  });

  it('has aborted when one of them has', () => {
    const { signal } = new JoinedSignal([new AbortController().signal, AbortSignal.abort('before')]);
    expect(signal.reason).toBe('before');
  });

  it('hears nothing more once it is released', () => {
    const a = new AbortController();
    const joined = new JoinedSignal([a.signal]);
    joined.release();
    a.abort();
    expect(joined.signal.aborted).toBe(false);
  });
});
