import { describe, expect, it } from '@jest/globals';
import { brokerPattern } from '../../../../src/core/group/consumer-protocol/topic-pattern.ts';
import { compileTopicRegex } from '../../../../src/testing/broker/groups/consumer/regex/topic-regex.ts';

const NAMES = [
  ...['orders', 'orders-1', 'orders.eu', 'my-orders', 'Orders', 'ORDERS_2', 'payments', 'a', 'aa', 'aaaa'],
  ...['x1', 'x12', 'x123', 'a.b', 'a-b', 'a_b', 'axb', 'orders$', '1', '_private', 'to-be', 'retry.5m'],
];

describe('a pattern that the broker matches', () => {
  it.each<[RegExp, string]>([
    [/^orders$/, 'orders'],
    [/orders/, '.*orders.*'],
    [/^orders/, 'orders.*'],
    [/orders$/, '.*orders'],
    [/^orders-\d+$/, 'orders-\\d+'],
    [/^(?:a|b)$/, '.*(?:^(?:a|b)$).*'],
    [/^a|b$/, '.*(?:^a|b$).*'],
    [/^orders$/i, '(?i)orders'],
    [/^(?<kind>orders)$/gu, '(orders)'],
    [/^a\.b$/, 'a\\.b'],
    [new RegExp('^a\\-b$'), 'a-b'],
    [/^[\w.-]+\.\d{1,2}m$/, '[\\w.-]+\\.\\d{1,2}m'],
    [/a\$/, '.*a\\$.*'],
    [/a\\$/, '.*a\\\\'],
  ])('%s is %s', (pattern, expected) => {
    expect(brokerPattern(pattern)).toBe(expected);
  });

  it.each([
    /^(?!orders)/,
    /(?<=a)b/,
    /^(a)\1$/,
    /^(?<x>a)\k<x>$/,
    /^\p{L}+$/u,
    /^\u0061$/,
    /^\x61$/,
    /^[^]$/,
    /^[[]$/,
    /^[\b]$/,
    /^a{2000}$/,
    /^\cA$/,
    /^ä$/,
    /a}/,
    new RegExp('^[a--b]$', 'v'),
    /.*/,
    /consumer/,
    /^(?!__).*/,
  ])('%s is left to the client', (pattern) => {
    expect(brokerPattern(pattern)).toBeUndefined();
  });

  it.each([
    /^orders$/,
    /orders/,
    /^orders/,
    /orders$/,
    /^a|b$/,
    /^(?:orders|payments)$/i,
    /^x\d{2,}$/,
    /^a.b$/,
    /^a[._]b$/,
    /^[^a-w_].*$/,
    /\bbe\b/,
    /^(a)(a)?$/,
    /^a+?$/,
    /\d$/,
    /^[A-Z]\S+\D$/,
    /5m/,
  ])('%s finds on the broker what it finds here', (pattern) => {
    const text = brokerPattern(pattern)!;
    const compiled = compileTopicRegex(text);
    if (compiled instanceof Error) throw compiled;
    expect(NAMES.filter((name) => compiled.matches(name))).toEqual(
      NAMES.filter((name) => pattern.test(name)),
    );
  });

  it('leaves alone where a global pattern had got to', () => {
    const pattern = /orders/g;
    pattern.lastIndex = 3;
    brokerPattern(pattern);
    expect(pattern.lastIndex).toBe(3);
  });
});
