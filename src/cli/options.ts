// Command lines: a table of options per command is parsed, checked and described in one place, over Node's own `parseArgs`.

import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';

/** How the text after an option becomes a value. */
export interface Kind<T> {
  /** What stands for the value in the help. */
  readonly metavar: string;
  /** @throws UsageError saying what is wrong with the text; the option's name is put before it. */
  read(text: string): T;
}

/** One option of a command; `T` is what the command gets. */
export interface Option<T> {
  readonly help: string;
  /** Absent: a switch. */
  readonly kind?: Kind<unknown>;
  readonly required: boolean;
  readonly repeatable: boolean;
  /** What it is when it is not given. */
  readonly fallback: T | undefined;
  /** Other names for it, for those who know them from elsewhere. */
  readonly aliases: readonly string[];
  /** The type alone. */
  readonly type?: T;
}

/** The options of a command by their names, without the dashes. */
export type OptionTable = { readonly [name: string]: Option<unknown> };

/** What a command gets: a value for each option. */
export type ValuesOf<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer T> ? T : never;
};

const PLAIN = { required: false, repeatable: false, aliases: [] } as const;

export function flag(help: string): Option<boolean> {
  return { ...PLAIN, help, fallback: false };
}

export function optional<T>(kind: Kind<T>, help: string): Option<T | undefined> {
  return { ...PLAIN, kind, help, fallback: undefined };
}

export function withDefault<T>(kind: Kind<T>, fallback: T, help: string): Option<T> {
  return { ...PLAIN, kind, help, fallback };
}

export function required<T>(kind: Kind<T>, help: string, aliases: readonly string[] = []): Option<T> {
  return { ...PLAIN, kind, help, required: true, fallback: undefined, aliases };
}

export function repeatable<T>(kind: Kind<T>, help: string): Option<readonly T[]> {
  return { ...PLAIN, kind, help, repeatable: true, fallback: [] };
}

export function text(metavar: string): Kind<string> {
  return {
    metavar,
    read(value) {
      if (value === '') throw new UsageError('must not be empty');
      return value;
    },
  };
}

/** `host:port,host:port`. */
export const brokerList: Kind<readonly string[]> = {
  metavar: 'HOST1:PORT1[,HOST2:PORT2[...]]',
  read(value) {
    const brokers = value
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
    if (brokers.length === 0) throw new UsageError('must name at least one broker as host:port');
    return brokers;
  },
};

export function integer(metavar: string, min: number, max: number): Kind<number> {
  return {
    metavar,
    read(value) {
      const number = /^[+-]?[0-9]+$/.test(value) ? Number(value) : NaN;
      if (!(number >= min && number <= max))
        throw new UsageError(`must be a whole number from ${min} to ${max}, not '${value}'`);
      return number;
    },
  };
}

/** One of some words; with `ignoringCase` the word is answered with as it stands in the list. */
export function choice<T extends string>(
  metavar: string,
  choices: readonly T[],
  ignoringCase = false,
): Kind<T> {
  return {
    metavar,
    read(value) {
      const found = choices.find(
        (one) => one === value || (ignoringCase && one.toLowerCase() === value.toLowerCase()),
      );
      if (found === undefined) throw new UsageError(`must be one of ${choices.join(', ')}, not '${value}'`);
      return found;
    },
  };
}

/** @throws UsageError naming the option that is unknown, missing, without a value, given twice, or wrong. */
export function parseCommandLine<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
): ValuesOf<Table> {
  const names = new Map<string, string>();
  for (const [name, { aliases }] of Object.entries(table))
    for (const one of [name, ...aliases]) names.set(one, name);
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Array.from(names, ([one, name]) => [
        one,
        { type: table[name]!.kind === undefined ? 'boolean' : 'string' } as const,
      ]),
    ),
  });
  const given = new Map<string, unknown[]>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional')
      throw new UsageError(`'${token.value}' belongs to no option; options are written --name value`);
    const name = names.get(token.name);
    if (name === undefined || !token.rawName.startsWith('--'))
      throw new UsageError(`there is no option ${token.rawName}${closest(token.name, names)}`);
    const { kind, repeatable: again } = table[name]!;
    const values = given.get(name) ?? [];
    if (values.length > 0 && !again) throw new UsageError(`${token.rawName} is given twice`, name);
    values.push(readValue(token.rawName, kind, token.value, token.inlineValue === true));
    given.set(name, values);
  }
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => {
      const values = given.get(name);
      if (values === undefined) {
        if (option.required) throw new UsageError(`--${name} is required`, name);
        return [name, option.fallback];
      }
      return [name, option.repeatable ? values : values[0]];
    }),
  ) as ValuesOf<Table>;
}

/** True when help is asked for, anywhere on the line. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
}

function readValue(
  rawName: string,
  kind: Kind<unknown> | undefined,
  value: string | undefined,
  inline: boolean,
): unknown {
  if (kind === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return true;
  }
  if (value === undefined || (!inline && /^-(?![0-9])/.test(value)))
    throw new UsageError(`${rawName} needs a value: ${rawName} ${kind.metavar}`);
  try {
    return kind.read(value);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${rawName} ${error.message}`, rawName);
    throw error;
  }
}

/** The known name that a wrong one was probably meant to be. */
function closest(name: string, names: ReadonlyMap<string, string>): string {
  const flat = (one: string): string => one.replace(/[-_.]/g, '').toLowerCase();
  const meant = [...names.keys()].filter(
    (known) => flat(known) === flat(name) || known.startsWith(name) || name.startsWith(known),
  );
  return meant.length === 1 ? `; did you mean --${meant[0]}?` : '';
}

const COLUMN = 28;
const WIDTH = 96;

/** The list of options for a help text. */
export function describeOptions(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, option]): readonly [string, string] => {
    const value = option.kind === undefined ? '' : ` ${option.kind.metavar}`;
    return [[name, ...option.aliases].map((one) => `--${one}`).join(', ') + value, helpOf(option)];
  });
  return [...rows, ['-h, --help', 'Show this help and exit.'] as const]
    .map(([left, right]) => describe(left, right))
    .join('\n');
}

function helpOf({ help, required: isRequired, repeatable: again, fallback }: Option<unknown>): string {
  const notes: string[] = [];
  if (isRequired) notes.push('required');
  if (again) notes.push('may be repeated');
  if (typeof fallback === 'string' || typeof fallback === 'number') notes.push(`default ${fallback}`);
  return notes.length === 0 ? help : `${help} (${notes.join('; ')})`;
}

function describe(left: string, right: string): string {
  const lines = [''];
  for (const word of right.split(' ')) {
    const last = lines.at(-1)!;
    if (last.length + 1 + word.length > WIDTH - COLUMN) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  const indent = ' '.repeat(COLUMN);
  const head = `  ${left}`;
  const first = head.length + 2 > COLUMN ? `${head}\n${indent}` : head.padEnd(COLUMN);
  return first + lines.join(`\n${indent}`);
}
