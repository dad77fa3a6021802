// Kafka's `sasl.jaas.config`: `LoginModuleClass controlFlag name="value" ...;`.

import { UsageError } from '../errors.ts';

const FLAGS: ReadonlySet<string> = new Set(['required', 'requisite', 'sufficient', 'optional']);
const TOKEN = /\s*(?:"((?:\\[^]|[^"\\])*)"|'((?:\\[^]|[^'\\])*)'|([^\s"'=;]+)|([=;]))/y;

/** One login module with its options. */
export interface LoginModule {
  /** The Java class; its last part says the mechanism. */
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
}

/** @throws UsageError saying where the text is not what it should be, without showing any of it. */
export function parseJaas(text: string): LoginModule {
  const [name, flag, ...rest] = tokensOf(text);
  if (name === undefined || name.isMark) throw wrong('must begin with the class of a login module');
  if (flag === undefined || !FLAGS.has(flag.text.toLowerCase()))
    throw wrong(`needs a control flag after the class: ${[...FLAGS].join(', ')}`);
  const options = new Map<string, string>();
  for (let at = 0; ; at += 3) {
    const [option, equals, value] = [rest[at], rest[at + 1], rest[at + 2]];
    if (option === undefined) throw wrong('must end with a semicolon');
    if (option.isMark && option.text === ';') {
      if (rest.length > at + 1) throw wrong('must have one login module');
      return { name: name.text, options };
    }
    if (equals?.text !== '=' || !equals.isMark || value === undefined || value.isMark)
      throw wrong('needs name="value" for each option');
    options.set(option.text, value.text);
  }
}

interface Token {
  readonly text: string;
  readonly isMark: boolean;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const whole = text.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < whole.length) {
    const found = TOKEN.exec(whole);
    if (found === null) throw wrong('has a quote that does not end');
    const [, double, single, bare, mark] = found;
    const quoted = double ?? single;
    tokens.push({
      text: quoted === undefined ? (bare ?? mark!) : quoted.replace(/\\([^])/g, '$1'),
      isMark: mark !== undefined,
    });
  }
  return tokens;
}

function wrong(what: string): UsageError {
  return new UsageError(`sasl.jaas.config ${what}`, 'sasl.jaas.config');
}
