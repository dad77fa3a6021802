/** Kafka's types of configurations, as DescribeConfigs numbers them. */
export const CONFIG_TYPES = { BOOLEAN: 1, STRING: 2, INT: 3, LONG: 5, DOUBLE: 6, LIST: 7 } as const;

export type ConfigType = keyof typeof CONFIG_TYPES;

/** What one configuration may be. */
export interface ConfigDefinition {
  readonly type: ConfigType;
  readonly defaultValue: string;
  /** The smallest number. */
  readonly min?: number;
  /** The words a text or the elements of a list may be. */
  readonly words?: readonly string[];
  /** The broker's configuration that gives the default. */
  readonly synonym?: string;
}

const INT_MAX = 2 ** 31 - 1;

/** What is wrong with a value, in Kafka's words; undefined when nothing is. */
export function configProblem(name: string, value: string, definition: ConfigDefinition): string | undefined {
  const what = problemOf(value, definition);
  return what === undefined ? undefined : `Invalid value ${value} for configuration ${name}: ${what}`;
}

function problemOf(value: string, definition: ConfigDefinition): string | undefined {
  const { type, min, words } = definition;
  switch (type) {
    case 'BOOLEAN':
      return /^(true|false)$/i.test(value) ? undefined : 'Expected value to be either true or false';
    case 'INT':
    case 'LONG':
    case 'DOUBLE': {
      const number = Number(value);
      const isNumber = type === 'DOUBLE' ? Number.isFinite(number) : /^[+-]?\d{1,19}$/.test(value);
      if (!isNumber || value === '' || (type === 'INT' && Math.abs(number) > INT_MAX)) {
        return `Not a number of type ${type}`;
      }
      return min !== undefined && number < min ? `Value must be at least ${min}` : undefined;
    }
    case 'LIST':
    case 'STRING': {
      const elements = type === 'LIST' ? listOf(value) : [value];
      if (words === undefined || elements.every((element) => words.includes(element))) return undefined;
      return `String must be one of: ${words.join(', ')}`;
    }
  }
}

/** The elements of a value of type LIST. */
export function listOf(value: string): string[] {
  return value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}
