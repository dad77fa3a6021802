import { describe, expect, it } from '@jest/globals';
import { onAbort } from '../../src/core/on-abort.ts';

describe('onAbort', () => {
  it('calls each listener once, in order, and none that was stopped before', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const stop = onAbort(controller.signal, () => calls.push(name));
      if (name === 'b') stop();
    }
    controller.abort();
    controller.abort();
    expect(calls).toEqual(['a', 'c']);
  });

  it('calls none that an earlier one stops', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const stops: (() => void)[] = [];
    onAbort(controller.signal, () => {
      calls.push('a');
      for (const stop of stops) stop();
    });
    stops.push(onAbort(controller.signal, () => calls.push('b')));
    controller.abort();
    expect(calls).toEqual(['a']);
  });

  it('calls nobody for a signal that has aborted, also while it tells of it', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    onAbort(controller.signal, () => {
      calls.push('a');
      onAbort(controller.signal, () => calls.push('late'));
    });
    controller.abort();
    onAbort(controller.signal, () => calls.push('later'));
    expect(calls).toEqual(['a']);
  });

  it('adds one event listener to a signal, however many wait', () => {
    const controller = new AbortController();
    let added = 0;
    const add = controller.signal.addEventListener.bind(controller.signal);
    controller.signal.addEventListener = (...args: Parameters<typeof add>) => {
      added++;
      add(...args);
    };
    for (let at = 0; at < 100; at++) onAbort(controller.signal, () => undefined);
    expect(added).toBe(1);
  });
});
