import { describe, expect, it } from '@jest/globals';
import { emptyHeaders, headersFrom } from '../../../src/core/records/headers.ts';
import type { HeadersInit } from '../../../src/core/records/types.ts';
import { UsageError } from '../../../src/errors.ts';

const pairs: [string, string | Uint8Array | null][] = [
  ['trace', 'one'],
  ['trace', new Uint8Array([0x74, 0x77, 0x6f])],
  ['null', null],
  ['empty', ''],
];

describe('headers', () => {
  it('keep order and duplicates of a list', () => {
    const headers = headersFrom(pairs);
    expect([...headers]).toEqual([
      ['trace', Buffer.from('one')],
      ['trace', Buffer.from('two')],
      ['null', null],
      ['empty', Buffer.alloc(0)],
    ]);
    expect(headers.all('trace')).toEqual([Buffer.from('one'), Buffer.from('two')]);
    expect(headers.all('none')).toEqual([]);
  });

  it('give the last value, null and undefined apart', () => {
    const headers = headersFrom(pairs);
    expect(headers.get('trace')).toEqual(Buffer.from('two'));
    expect(headers.text('trace')).toBe('two');
    expect(headers.get('null')).toBeNull();
    expect(headers.text('null')).toBeNull();
    expect(headers.get('none')).toBeUndefined();
    expect(headers.text('none')).toBeUndefined();
    expect(headers.text('empty')).toBe('');
  });

  it('are taken from an object without its undefined values', () => {
    expect([...headersFrom({ a: '1', b: undefined, c: null })]).toEqual([
      ['a', Buffer.from('1')],
      ['c', null],
    ]);
  });

  it('are taken from anything that can be iterated, once', () => {
    const asked = (function* () {
      yield ['a', 'b'] as const;
    })();
    expect([...headersFrom(asked)]).toEqual([['a', Buffer.from('b')]]);
    expect([...headersFrom(new Map([['a', 'b']]))]).toEqual([['a', Buffer.from('b')]]);
  });

  it('are one shared list when there are none', () => {
    expect(headersFrom(undefined)).toBe(emptyHeaders);
    expect(headersFrom([])).toBe(emptyHeaders);
    expect(headersFrom({})).toBe(emptyHeaders);
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['text', 'a=1', /an object or a list of \[name, value\] pairs, not string/],
    ['a number', 5, /pairs, not number/],
    ['null', null, /pairs, not null/],
    ['a list of names', ['a', 'b'], /pairs, not string/],
    ['a name that is no text', [[5, 'a']], /The name of a header is text, not number/],
    ['a number as a value', { total: 5 }, /The value of header 'total' is bytes, text or null, not number/],
    [
      'an object as a value',
      [['total', {}]],
      /The value of header 'total' is bytes, text or null, not object/,
    ],
    [
      'a pair without a value',
      [['total']],
      /The value of header 'total' is bytes, text or null, not undefined/,
    ],
  ])('are not %s', (_what, init, says) => {
    const make = (): unknown => headersFrom(init as HeadersInit);
    expect(make).toThrow(UsageError);
    expect(make).toThrow(says);
  });
});
