import { describe, expect, it } from '@jest/globals';
import { debounceTime, delay, filter as rxFilter } from 'rxjs';
import { UsageError } from '../../src/errors.ts';
import { dropping, passing } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

describe('dropping', () => {
  it('acknowledges what the operator drops', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('abc|');
      expectFlow(
        source.pipe(
          dropping(
            rxFilter(({ value }) => value !== 'b'),
            0,
          ),
        ),
      ).toBe('a-c|');
      expectAcks(source).toBe('abc');
    });
  });

  it('keeps the youngest, and gives it up when it is unsubscribed', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(dropping(debounceTime(1_000), 1)));
    source.emitAll('abc', { complete: false });
    expect(source.marked('ack')).toBe('a b');
    out.stop();
    expect(source.marked('give-up')).toBe('c');
  });

  it('is an error for an operator that keeps more than it was said to', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(dropping(debounceTime(1_000), 0)));
    source.emitAll('a');
    expect(out.ended[0]).toBeInstanceOf(UsageError);
    expect(() => dropping<string>(delay(1), 2 as never)).toThrow(/retains/);
  });
});

describe('passing', () => {
  it('settles nothing by itself; an operator that kept some is an error at the end', () => {
    const source = new ManualSource<string>();
    const out = collect(source.flow.pipe(passing(rxFilter(({ value }) => value === 'a'))), { ack: false });
    source.emitAll('ab');
    expect(source.events).toEqual([]);
    expect(String(out.ended[0])).toMatch(/2 deliveries went into the operator and 1 came out/);
  });

  it('lets deliveries out later', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('ab|');
      expectFlow(source.pipe(passing(delay(3)))).toBe('---a(b|)');
      expectAcks(source).toBe('---ab');
    });
  });
});
