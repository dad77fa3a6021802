// Every TypeScript snippet of these pages compiles as it stands, so that nobody copies what does not.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { compileErrors } from '../helpers/compile.ts';
import { marblesProgram } from '../../scripts/operators-page.ts';

const root = path.resolve(__dirname, '../..');
const dir = path.join(root, '.cache/docs/snippets');
const pages = [
  'consuming',
  'offsets',
  'delivery-guarantees',
  'rebalancing',
  'security',
  'admin',
  'producer',
  'transactions',
  'serdes',
  'backpressure',
  'errors',
  'migrating-from-kafkajs',
  'sarama-for-js-readers',
  'observability',
  'windows',
];
const TIMEOUT_MS = 240_000;

it(
  `the snippets of docs/{${pages.join(',')}}.md compile`,
  () => {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    let snippets = 0;
    for (const page of pages) {
      const text = readFileSync(path.join(root, 'docs', `${page}.md`), 'utf8');
      const blocks = [...text.matchAll(/^```ts( \w+)?\n(.*?)^```$/gms)];
      // A block that is marked with the page's name goes on from its first one.
      for (const [, mark, code] of blocks) {
        const whole = mark?.trim() === page ? `${blocks[0]![2]!}${code!}` : code!;
        if (mark === undefined || mark.trim() === page)
          writeFileSync(path.join(dir, `${page}-${++snippets}.ts`), `${whole}export {};\n`);
      }
    }
    // docs/operators.md, whose snippets stand inside testFlow.
    writeFileSync(path.join(dir, 'operators.ts'), marblesProgram());
    expect(snippets).toBeGreaterThan(8);
    expect(compileErrors(dir, { noUnusedLocals: false })).toEqual(new Map());
  },
  TIMEOUT_MS,
);
