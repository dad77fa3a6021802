import { fixedSize, type NamedSpec } from './defaults.ts';
import type { FieldSpec } from './schema.ts';

/** The functions of one compiled codec, in the order in which they must be defined. */
export class SourceText {
  readonly #functions: string[] = [];

  /** Adds a function and returns its name. */
  define(parameters: readonly string[], body: readonly string[]): string {
    const name = `f${this.#functions.length}`;
    this.#functions.push(`function ${name}(${parameters.join(', ')}) {\n${body.join('\n')}\n}`);
    return name;
  }

  /** The text of a function body that returns `root`. */
  result(root: string): string {
    return `'use strict';\n${this.#functions.join('\n')}\nreturn ${root};\n`;
  }
}

/** The default of a scalar as JavaScript text; bytes share one empty buffer, `h.empty`. */
export function literal(spec: FieldSpec): string {
  const value = spec.default;
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return String(value);
    case 'bigint':
      return `${value}n`;
    case 'string':
      return JSON.stringify(value);
    default:
      return 'h.empty';
  }
}

/** Fields in order, neighbours of fixed size together, each other field alone. */
export function runsOfFixedSize(fields: readonly NamedSpec[]): NamedSpec[][] {
  const runs: NamedSpec[][] = [];
  let open = false;
  for (const field of fields) {
    const fixed = fixedSize(field[1]) > 0;
    if (fixed && open) runs.at(-1)!.push(field);
    else runs.push([field]);
    open = fixed;
  }
  return runs;
}
