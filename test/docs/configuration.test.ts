// docs/configuration.md has a row for every option there is, and none for one that there is not: its tables are compared with the declarations.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = path.resolve(__dirname, '../..');
const page = readFileSync(path.join(root, 'docs/configuration.md'), 'utf8');

interface Table {
  /** Relative to src, without its ending. */
  readonly file: string;
  readonly types: readonly string[];
  /** Whose members are options by themselves, as `outer.inner`. */
  readonly nested?: readonly string[];
  /** In the signature of the function and in none of the types. */
  readonly more?: readonly string[];
}

/** By heading. */
const TABLES: Readonly<Record<string, Table>> = {
  '`new Kafka({...})`': { file: 'core/options', types: ['KafkaOptions'], nested: ['retry'] },
  '`fromGroup({...})`': {
    file: 'sources/options',
    types: ['GroupOptions', 'Formats'],
    nested: ['credit'],
    more: ['topics'],
  },
  '`fromPartitions({...})`': { file: 'sources/options', types: ['PartitionsOptions'], nested: ['credit'] },
  Fetching: { file: 'core/consumer/options', types: ['FetcherOptions'] },
  '`new GroupConsumer(...)`, in `sluice/core`': {
    file: 'core/group/options',
    types: ['GroupConsumerOptions'],
    nested: ['credit'],
  },
  '`openPartitions(...)`, in `sluice/core`': {
    file: 'core/consumer/open-partitions',
    types: ['OpenOptions'],
    nested: ['credit'],
  },
  '`kafka.offsets({...})`': { file: 'core/offsets/options', types: ['OffsetManagerOptions'] },
  '`run(kafka, {...})`, `start(kafka, {...})`': {
    file: 'topology/types',
    types: ['RunOptions'],
    nested: ['transactions', 'restart'],
  },
  Producer: { file: 'core/producer/options', types: ['ProducerOptions'] },
  '`asyncProducer(kafka, {...})`': { file: 'sinks/async-producer', types: ['AsyncProducerOptions'] },
  '`syncProducer(kafka, {...})`': { file: 'sinks/sync-producer', types: ['SyncProducerOptions'] },
};
/** A table that says so has the options of another one too. */
const AND_THOSE_OF = /^And all of \[([^\]]+)\]/m;
const COLUMNS = ['option', 'type', 'default', 'what it does', 'why this default'];

interface Row {
  readonly options: readonly string[];
  readonly cells: readonly string[];
}

interface Section {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly text: string;
}

function sectionOf(heading: string): Section {
  const lines = page.split('\n');
  const from = lines.findIndex((line) => /^##+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (from < 0) throw new Error(`docs/configuration.md has no section ${heading}`);
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => /^##+ /.test(line));
  const section = to < 0 ? rest : rest.slice(0, to);
  const cells = section.filter((line) => line.startsWith('|')).map(cellsOf);
  const [columns = [], , ...rows] = cells;
  return {
    columns,
    rows: rows.map((row) => ({
      options: [...row[0]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
      cells: row,
    })),
    text: section.join('\n'),
  };
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

const files = [...new Set(Object.values(TABLES).map(({ file }) => path.join(root, 'src', `${file}.ts`)))];
const program = ts.createProgram(files, {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  types: [],
  module: ts.ModuleKind.NodeNext,
  allowImportingTsExtensions: true,
  noEmit: true,
  strictNullChecks: true,
});
const checker = program.getTypeChecker();

function declared(file: string, name: string): ts.Type {
  const source = program.getSourceFile(path.join(root, 'src', `${file}.ts`))!;
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration | ts.TypeAliasDeclaration =>
      (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) &&
      statement.name.text === name,
  );
  if (found === undefined) throw new Error(`${file} declares no ${name}`);
  return checker.getTypeAtLocation(found);
}

/** As the page names them. */
function optionsOf(heading: string): string[] {
  const { file, types, nested = [], more = [] } = TABLES[heading]!;
  const properties = types.flatMap((type) => checker.getPropertiesOfType(declared(file, type)));
  const names = properties.flatMap((property) => {
    const { name } = property;
    if (!nested.includes(name)) return [name];
    const inner = checker.getNonNullableType(checker.getTypeOfSymbol(property));
    return checker.getPropertiesOfType(inner).map((one) => `${name}.${one.name}`);
  });
  return [...more, ...names];
}

function inherited({ text }: Section): string[] {
  const other = AND_THOSE_OF.exec(text)?.[1];
  return other === undefined ? [] : optionsOf(other);
}

describe.each(Object.keys(TABLES))('docs/configuration.md, %s', (heading) => {
  const section = sectionOf(heading);
  const declaredOptions = optionsOf(heading);

  it('names every option', () => {
    expect(declaredOptions.length).toBeGreaterThan(2);
    const named = new Set([...section.rows.flatMap(({ options }) => options), ...inherited(section)]);
    expect(declaredOptions.filter((option) => !named.has(option))).toEqual([]);
  });

  it('names nothing else, and nothing twice', () => {
    const named = section.rows.flatMap(({ options }) => options);
    expect(named.filter((option) => !declaredOptions.includes(option))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });

  it('says of each its type, its default, what it does and why', () => {
    expect(section.columns).toEqual(COLUMNS);
    const empty = section.rows.filter(({ cells }) => cells.length !== 5 || cells.includes(''));
    expect(empty.map(({ cells }) => cells[0])).toEqual([]);
  });
});
