// The pages for those who come from elsewhere: what they quote is what is there, and what they point at exists.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = path.resolve(__dirname, '../..');
const docs = path.join(root, 'docs');
const read = (...parts: string[]): string => readFileSync(path.join(root, ...parts), 'utf8');
const pages = ['migrating-from-kafkajs', 'sarama-for-js-readers', 'coming-from-rxjs'];

/** As GitHub makes them. */
function anchors(file: string): string[] {
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text]) => text!);
  return headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(pages)('docs/%s.md', (page) => {
  const text = read('docs', `${page}.md`);

  it('links to files and headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links
      .map(([link, to, anchor]) => ({ link, file: path.join(docs, to === '' ? `${page}.md` : to!), anchor }))
      .filter(
        ({ file, anchor }) => !existsSync(file) || (anchor !== undefined && !anchors(file).includes(anchor)),
      );
    expect(broken).toEqual([]);
  });

  it('quotes files as they are', () => {
    for (const [, file, code] of text.matchAll(/^```ts file=(\S+)\n(.*?)^```$/gms))
      expect(code).toBe(read(file!));
  });
});

it('docs/sarama-for-js-readers.md has a line for every row', () => {
  const ids = [...read('docs', 'sarama-for-js-readers.md').matchAll(/^\| ([PCOGKX]-\d\d) /gm)].map(
    ([, id]) => id!,
  );
  const all = Object.entries({ P: 30, C: 13, O: 5, G: 14, K: 11, X: 9 }).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, at) => `${letter}-${String(at + 1).padStart(2, '0')}`),
  );
  expect(ids).toEqual(all);
});
