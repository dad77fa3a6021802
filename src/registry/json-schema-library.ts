// `ajv` as far as it is used.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { UsageError } from '../errors.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistrySchema } from './schema-registry.ts';

/** An error as ajv tells it. */
interface AjvError {
  readonly instancePath: string;
  readonly message?: string;
}

interface AjvValidate {
  (value: unknown): unknown;
  readonly errors?: readonly AjvError[] | null;
}

interface AjvLibrary {
  addSchema(schema: object, name: string): unknown;
  compile(schema: object | boolean): AjvValidate;
}

type AjvClass = new (options: object) => AjvLibrary;

/** What is wrong with a value; undefined for one that fits. */
export type Validate = (value: unknown) => readonly StandardSchemaV1.Issue[] | undefined;

const MAX_ISSUES = 20;

const OPTIONS = {
  // Schemas of others may have keywords of their own; what is no keyword says nothing.
  strict: false,
  validateSchema: false,
  validateFormats: false,
  allErrors: false,
  logger: false,
  addUsedSchema: false,
};

async function classFor(dialect: string): Promise<AjvClass> {
  try {
    if (dialect.includes('2020-12')) return (await import('ajv/dist/2020.js')).Ajv2020;
    // A schema that does not say is of this one, as for Confluent's client: it has the words of draft-07 too.
    if (dialect === '' || dialect.includes('2019-09')) return (await import('ajv/dist/2019.js')).Ajv2019;
    return (await import('ajv')).Ajv;
  } catch (cause) {
    throw new UsageError(
      'jsonSchema() needs the package ajv to check values: npm install ajv',
      'jsonSchema',
      {
        cause,
      },
    );
  }
}

function parse(text: string, what: string): object | boolean {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    schema = undefined;
  }
  if ((typeof schema === 'object' && schema !== null) || typeof schema === 'boolean') return schema;
  throw new RegistryError(`${what} is no JSON Schema`, { retriable: false });
}

function dialectOf(schema: object | boolean): string {
  const { $schema } = typeof schema === 'object' ? (schema as { $schema?: unknown }) : {};
  return typeof $schema === 'string' ? $schema : '';
}

/** Makes a schema ready; `used` are those it refers to, by the names it calls them. */
export async function compileJsonSchema(
  text: string,
  used: ReadonlyMap<string, RegistrySchema>,
  what: string,
): Promise<Validate> {
  const schema = parse(text, what);
  const dialect = dialectOf(schema);
  if (/draft-0?[0-4]\b/.test(dialect))
    throw new RegistryError(`${what} is of ${dialect}; known are draft-06, draft-07, 2019-09 and 2020-12`, {
      retriable: false,
    });
  const Ajv = await classFor(dialect);
  let validate: AjvValidate;
  try {
    const ajv = new Ajv(OPTIONS);
    for (const [name, one] of used) ajv.addSchema(parse(one.schema, `'${name}'`) as object, name);
    validate = ajv.compile(schema);
  } catch (cause) {
    throw new RegistryError(
      `${what} is no JSON Schema that can be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { retriable: false, cause },
    );
  }
  return (value) => (validate(value) === true ? undefined : issuesOf(validate.errors ?? []));
}

// The message names the rule, never the value.
function issuesOf(errors: readonly AjvError[]): readonly StandardSchemaV1.Issue[] {
  return errors.slice(0, MAX_ISSUES).map(({ instancePath, message = 'does not fit' }) => ({
    message,
    path: instancePath.split('/').slice(1),
  }));
}

/** The title, which subjects may be named after. */
export function titleOf(text: string): string | undefined {
  const schema = parse(text, 'the schema');
  const { title } = typeof schema === 'object' ? (schema as { title?: unknown }) : {};
  return typeof title === 'string' ? title : undefined;
}
