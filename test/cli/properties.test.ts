import { describe, expect, it } from '@jest/globals';
import { parseProperties } from '../../src/cli/properties.ts';

/** Each line of the file, and what java.util.Properties (17) made of it. */
const JAVA: readonly (readonly [text: string, entries: Readonly<Record<string, string>>])[] = [
  ['a=1', { a: '1' }],
  ['b: 2', { b: '2' }],
  ['  c  =  3  ', { c: '3  ' }],
  ['# comment\n! too\n', {}],
  ['d 4 = x', { d: '4 = x' }],
  ['e', { e: '' }],
  ['f=', { f: '' }],
  ['g=one\\\n   two\\\n   three', { g: 'onetwothree' }],
  ['h\\=i=j\\:k', { 'h=i': 'j:k' }],
  ['l=\\u0041\\t\\n\\q', { l: 'A\t\nq' }],
  ['m=back\\\\', { m: 'back\\' }],
  ['n=even\\\\\\\\', { n: 'even\\\\' }],
  ['a=1\na=later', { a: 'later' }],
  ['\\#o=p', { '#o': 'p' }],
  ['q=\\\n# not a comment', { q: '# not a comment' }],
  ['r=x\\\n\ns=z', { r: 'x', s: 'z' }],
  ['s=z\r\nt=u\rv=w', { s: 'z', t: 'u', v: 'w' }],
  ['=empty name', { '': 'empty name' }],
  ['last=\\', { last: '' }],
];

describe('a properties file', () => {
  it.each(JAVA)('%j is read as Java reads it', (text, entries) => {
    expect(Object.fromEntries(parseProperties(text))).toEqual(entries);
  });
});
