import { parseEscapedChar } from './escaped-char.ts';
import { RegexSyntaxError } from './regex-node.ts';
import type { CharTest } from './regex-node.ts';

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const PERL: Readonly<Record<string, CharTest>> = {
  d: oneOf('0-9'),
  s: oneOf('\\t\\n\\f\\r '),
  w: oneOf('0-9A-Za-z_'),
};

/** A character class of our own making, as a test. */
function oneOf(body: string): CharTest {
  const regex = new RegExp(`^[${body}]$`, 'u');
  return (code) => regex.test(String.fromCodePoint(code));
}

function not(test: CharTest): CharTest {
  return (code) => !test(code);
}

/** `\d`, `\S` and their like, by the letter. */
export function perlClass(letter: string): CharTest | undefined {
  if (!/^[dswDSW]$/.test(letter)) return undefined;
  const test = PERL[letter.toLowerCase()]!;
  return letter === letter.toLowerCase() ? test : not(test);
}

/** `\pN` and `\p{Greek}`, from the letter on. */
export function parseEscapedClass(text: readonly string[], at: number): [test: CharTest, end: number] {
  const named = /^[pP](?:\{(\^?)(\w+)\}|([A-Z]))/.exec(text.slice(at, at + 40).join(''));
  if (named === null) throw new RegexSyntaxError('invalid character class range');
  const name = named[2] ?? named[3]!;
  const test = unicodeClass(name);
  const isNegated = (text[at] === 'P') !== (named[1] === '^');
  return [isNegated ? not(test) : test, at + named[0].length];
}

function unicodeClass(name: string): CharTest {
  for (const property of [name, `Script=${name}`]) {
    try {
      const regex = new RegExp(`^\\p{${property}}$`, 'u');
      return (code) => regex.test(String.fromCodePoint(code));
    } catch {
      // Not a category; a script, perhaps.
    }
  }
  throw new RegexSyntaxError('invalid character class range');
}

/** What stands between brackets; `at` is behind the opening one. */
export function parseClass(
  text: readonly string[],
  at: number,
  ignoreCase: boolean,
): [test: CharTest, end: number] {
  const isNegated = text[at] === '^';
  let place = isNegated ? at + 1 : at;
  const tests: CharTest[] = [];
  for (let isFirst = true; isFirst || text[place] !== ']'; isFirst = false) {
    if (place >= text.length) throw new RegexSyntaxError('missing closing ]');
    const [test, end] = parseItem(text, place);
    tests.push(test);
    place = end;
  }
  const test = anyOf(tests, ignoreCase);
  return [isNegated ? not(test) : test, place + 1];
}

function anyOf(tests: readonly CharTest[], ignoreCase: boolean): CharTest {
  const plain: CharTest = (code) => tests.some((test) => test(code));
  if (!ignoreCase) return plain;
  return (code) => {
    const char = String.fromCodePoint(code);
    return (
      plain(code) || plain(char.toLowerCase().codePointAt(0)!) || plain(char.toUpperCase().codePointAt(0)!)
    );
  };
}

function parseItem(text: readonly string[], at: number): [test: CharTest, end: number] {
  const posix = /^\[:(\^?)(\w+):\]/.exec(text.slice(at, at + 14).join(''));
  if (posix !== null) {
    const body = POSIX[posix[2]!];
    if (body === undefined) throw new RegexSyntaxError('invalid character class range');
    const test = oneOf(body.replaceAll('[', '\\['));
    return [posix[1] === '^' ? not(test) : test, at + posix[0].length];
  }
  if (text[at] === '\\') {
    const next = text[at + 1] ?? '';
    const perl = perlClass(next);
    if (perl !== undefined) return [perl, at + 2];
    if (next === 'p' || next === 'P') return parseEscapedClass(text, at + 1);
  }
  const [from, end] = classChar(text, at);
  if (text[end] !== '-' || text[end + 1] === undefined || text[end + 1] === ']') {
    return [(code) => code === from, end];
  }
  const [to, rangeEnd] = classChar(text, end + 1);
  if (to < from) throw new RegexSyntaxError('invalid character class range');
  return [(code) => code >= from && code <= to, rangeEnd];
}

function classChar(text: readonly string[], at: number): [code: number, end: number] {
  if (text[at] === '\\') return parseEscapedChar(text, at + 1);
  return [text[at]!.codePointAt(0)!, at + 1];
}
