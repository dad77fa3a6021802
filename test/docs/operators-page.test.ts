// docs/operators.md is what the docstrings say, and its snippets do what they say. They are compiled together with those of the other pages.
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import * as rx from 'rxjs';
import ts from 'typescript';
import { operatorDocs, operatorsPage, PAGE } from '../../scripts/operators-page.ts';
import * as operators from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';

const docs = operatorDocs();

it('docs/operators.md is up to date: npm run docs:operators', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(operatorsPage());
});

it('has a part for every operator', () => {
  expect(docs.length).toBeGreaterThan(30);
  for (const { name } of docs) expect(operators).toHaveProperty(name, expect.any(Function));
});

it.each(docs.map(({ name, marbles }) => ({ name, marbles })))('the snippet of $name runs', ({ marbles }) => {
  const { outputText } = ts.transpileModule(marbles, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ES2022 },
  });
  const given = ['claims', 'expectAcks', 'expectFlow', 'expectSettlements', 'flow'] as const;
  let expectations = 0;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the page's own code
  const body = new Function('rx', ...Object.keys(operators), ...given, outputText) as (
    ...all: unknown[]
  ) => void;
  testFlow((t) => {
    const counted = new Set<string>(['expectAcks', 'expectFlow', 'expectSettlements']);
    const parts = given.map((part) => {
      const own = t[part].bind(t) as (...all: unknown[]) => unknown;
      return (...all: unknown[]): unknown => {
        if (counted.has(part)) expectations++;
        return own(...all);
      };
    });
    body(rx, ...Object.values(operators), ...parts);
  });
  expect(expectations).toBeGreaterThan(0);
});
