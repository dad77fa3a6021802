import { describe, expect, it } from '@jest/globals';
import { fc } from '../../../helpers/fast-check.ts';
import { compileTopicRegex } from '../../../../src/testing/broker/groups/consumer/regex/topic-regex.ts';
import type { RegexProgram } from '../../../../src/testing/broker/groups/consumer/regex/regex-program.ts';

function matches(pattern: string, name: string): boolean {
  const compiled = compileTopicRegex(pattern);
  if (compiled instanceof Error) throw compiled;
  return compiled.matches(name);
}

function problemOf(pattern: string): string | undefined {
  const compiled = compileTopicRegex(pattern);
  return compiled instanceof Error ? compiled.message : undefined;
}

describe('a regular expression for topics', () => {
  it.each([
    ['orders', 'orders', true],
    ['orders', 'my-orders', false],
    ['.*', '', true],
    ['a.c', 'a.c', true],
    ['a\\.c', 'abc', false],
    ['(a|b)*c', 'ababc', true],
    ['(?:ab){2,3}', 'ababab', true],
    ['(?:ab){2,3}', 'ab', false],
    ['a{2}', 'aa', true],
    ['a{,2}', 'a{,2}', true],
    ['a{2,}', 'aaaaa', true],
    ['a+?b??', 'aa', true],
    ['[a-c-]+', 'a-c', true],
    ['[^a-c]+', 'xyz', true],
    ['[]a]+', ']a', true],
    ['[[:alpha:]_]+', 'a_B', true],
    ['[[:^digit:]]', '7', false],
    ['\\d+\\D\\w\\W\\s\\S', '12x_- y', true],
    ['\\pL+\\p{Greek}', 'abα', true],
    ['\\P{Lu}', 'A', false],
    ['\\x41\\x{42}\\103', 'ABC', true],
    ['\\Qa.b\\E.', 'a.bc', true],
    ['(?i)ab(?-i)C', 'ABC', true],
    ['(?i:ab)c', 'aBC', false],
    ['(?i)[a-c]+', 'aBC', true],
    ['^a$', 'a', true],
    ['\\Aa\\z', 'a', true],
    ['a\\b-\\Bb', 'a-b', false],
    ['a\\b-\\bb', 'a-b', true],
    ['(?P<name>x)y', 'xy', true],
    ['(?s).', '\n', true],
    ['.', '\n', false],
    ['|a', '', true],
    ['(a*)*', 'aaaa', true],
    ['x*', 'y', false],
  ] as const)('%s, %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it.each([
    ['(', 'missing closing )'],
    ['a)', 'regexp/syntax: internal error'],
    ['[', 'missing closing ]'],
    ['[b-a]', 'invalid character class range'],
    ['*', 'missing argument to repetition operator'],
    ['a**', 'invalid nested repetition operator'],
    ['a{1001}', 'invalid repeat count'],
    ['a{2,1}', 'invalid repeat count'],
    ['\\', 'trailing backslash at end of expression'],
    ['\\8', 'invalid escape sequence'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['\\p{Nope}', 'invalid character class range'],
    ['(?P<>a)', 'invalid named capture'],
    ['((a{100}){100}){100}', 'expression too large'],
    ['(((){1000}){1000}){1000}', 'expression too large'],
    ['('.repeat(5000), 'expression nests too deeply'],
  ] as const)('refuses %s', (pattern, problem) => {
    expect(problemOf(pattern)).toBe(problem);
  });

  it('takes no longer than its length times that of the name, whatever the pattern', () => {
    const name = 'a'.repeat(249);
    for (const pattern of ['(a+)+b', '(a|a)*b', '(a*)*b', '(.*)*(.*)*(.*)*b', '(a?){100}a{100}b']) {
      const compiled = compileTopicRegex(pattern) as RegexProgram;
      const started = process.cpuUsage().user;
      expect(compiled.matches(name)).toBe(false);
      expect((process.cpuUsage().user - started) / 1000).toBeLessThan(2000);
    }
  });

  it('agrees with JavaScript where both speak the same language', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(?:a|b)', '(?:ab|c)', '(a)', 'a|b');
    const pattern = fc
      .array(fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}')), { maxLength: 5 })
      .map((parts) => parts.map(([one, times]) => (times === '' ? one : `(?:${one})${times}`)).join(''));
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, name, (text, topic) => {
        expect(matches(text, topic)).toBe(new RegExp(`^(?:${text})$`, 's').test(topic));
      }),
      { numRuns: 1000 },
    );
  });

  it('survives any text as a pattern', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...Array.from('ab()[]{}*+?|\\^$.-:,<>P0123=!iQEdwspx')),
          maxLength: 30,
        }),
        (text) => {
          const compiled = compileTopicRegex(text);
          if (!(compiled instanceof Error)) expect(typeof compiled.matches('topic-1')).toBe('boolean');
          else expect(compiled.message).not.toBe('');
        },
      ),
      { numRuns: 3000 },
    );
  });
});
