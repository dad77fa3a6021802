// docs/operators.md, made from the docstrings of the operators: `npm run docs:operators` writes it, and a test says when it is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = process.cwd();
const folder = path.join(root, 'src/operators');

/** Values of `sluice/operators` that are no operators. */
const OTHERS: ReadonlySet<string> = new Set([
  'when',
  'whenIs',
  'otherwise',
  'gather',
  'fail',
  'retry',
  'rewind',
  'skip',
]);

/** What an operator's docstring says. */
export interface OperatorDoc {
  readonly name: string;
  /** Paragraphs, and code blocks, in Markdown. */
  readonly text: string;
  /** What becomes of the records. */
  readonly acks: string;
  /** A marble test, the inside of `testFlow`. */
  readonly marbles: string;
}

/** Every operator of `sluice/operators`, by name. Throws for one whose docstring lacks a part. */
export function operatorDocs(): OperatorDoc[] {
  const index = readFileSync(path.join(folder, 'index.ts'), 'utf8');
  const docs: OperatorDoc[] = [];
  for (const [, names, file] of index.matchAll(/^export \{([^}]*)\} from '\.\/([\w-]+\.ts)';$/gms)) {
    const source = readFileSync(path.join(folder, file!), 'utf8');
    for (const name of names!.split(',').map((one) => one.trim()))
      if (name !== '' && !name.startsWith('type ') && !OTHERS.has(name)) docs.push(docOf(name, source));
  }
  return docs.sort((a, b) => a.name.localeCompare(b.name));
}

function docOf(name: string, source: string): OperatorDoc {
  const at = source.search(new RegExp(`^export function ${name}\\b`, 'm'));
  const end = source.lastIndexOf('*/\n', at);
  const start = source.lastIndexOf('/**', end);
  const lines = source
    .slice(start + 3, end)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  const parts = new Map<string, string>();
  let part = '';
  for (const line of lines) {
    const tag = /^@(\w+) ?(.*)$/.exec(line);
    if (tag !== null) part = tag[1]!;
    parts.set(part, `${parts.get(part) ?? ''}${tag === null ? line : tag[2]!}\n`);
  }
  const text = (parts.get('') ?? '').trim();
  const acks = (parts.get('acks') ?? '').trim().replace(/\s+/g, ' ');
  const marbles = /```ts\n(.*?)```/s.exec(parts.get('marbles') ?? '')?.[1] ?? '';
  for (const [what, content] of Object.entries({ text, '@acks': acks, '@marbles': marbles }))
    if (content === '') throw new Error(`the docstring of ${name} has no ${what}`);
  return { name, text: unwrapped(text), acks, marbles };
}

/** Paragraphs on one line each; code as it stands; links to other operators. */
function unwrapped(text: string): string {
  const parts = text.split(/(```.*?```)/s);
  return parts
    .map((one) =>
      one.startsWith('```')
        ? one
        : one
            .split(/\n\s*\n/)
            .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
            .join('\n\n'),
    )
    .join('\n\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .trim();
}

/** The first sentence. */
function summaryOf(text: string): string {
  return /^.*?\.(?=\s|$)/s.exec(text)![0];
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

const HEAD = `# Operators

Every operator of \`sluice/operators\`, what it does, and what becomes of the records: the promise behind the last column is [delivery](delivery.md). Those that have
RxJS's names do RxJS's thing; [coming from RxJS](coming-from-rxjs.md) has what differs.

This page is made from the operators' docstrings by \`npm run docs:operators\`. Each snippet stands inside \`testFlow((t) => { ... })\` of \`sluice/testing\`, with the
parts of \`t\` by name and RxJS as \`rx\`; it is compiled and run as it stands. How to read it: [testing](testing.md).

`;

/** The page. */
export function operatorsPage(): string {
  const docs = operatorDocs();
  const rows = docs.map(({ name, text, acks }) => [
    `[\`${name}\`](#${name.toLowerCase()})`,
    cell(summaryOf(text)),
    cell(acks),
  ]);
  const table = [['operator', 'does', 'acknowledgements'], ['---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
  const sections = docs.map(
    ({ name, text, acks, marbles }) =>
      `## ${name}\n\n${text}\n\n**Acknowledgements.** ${acks}\n\n\`\`\`ts marbles\n${marbles}\`\`\`\n`,
  );
  return `${HEAD}${table}\n\n${sections.join('\n')}`;
}

/** One program of all snippets, for the compiler. */
export function marblesProgram(): string {
  const docs = operatorDocs();
  const tests = docs.map(
    ({ name, marbles }) =>
      `// ${name}\ntestFlow(({ claims, expectAcks, expectFlow, expectSettlements, flow }) => {\n${marbles}});\n`,
  );
  return [
    `import * as rx from 'rxjs';`,
    `import type { Claim } from 'sluice';`,
    `import { ${[...docs.map(({ name }) => name), 'otherwise', 'skip', 'when'].join(', ')} } from 'sluice/operators';`,
    `import { testFlow } from 'sluice/testing';`,
    '',
    ...tests,
  ].join('\n');
}

export const PAGE = path.join(root, 'docs/operators.md');

if (process.argv[1]?.endsWith('operators-page.ts') === true) writeFileSync(PAGE, operatorsPage());
