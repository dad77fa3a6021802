import type { StandardSchemaV1 } from '@standard-schema/spec';
import { KafkaError, UsageError } from '../errors.ts';
import type { SerdeContext, Serde } from './serde.ts';

/** A value that is not JSON or does not fit its schema; `issues` names the paths and what is wrong with each. */
export class SchemaError extends KafkaError {
  readonly code = 'SCHEMA';
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(message: string, issues: readonly StandardSchemaV1.Issue[], options?: { cause?: unknown }) {
    super(message, false, options);
    this.issues = issues;
  }
}

const MAX_ISSUES_IN_MESSAGE = 5;

function pathOf(issue: StandardSchemaV1.Issue): string {
  const path = issue.path ?? [];
  return path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
}

/** The first few of them in words. */
export function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, MAX_ISSUES_IN_MESSAGE).map((issue) => {
    const path = pathOf(issue);
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = issues.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** @throws SchemaError for what is no JSON */
export function parseJson(text: string, context: SerdeContext): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8's message quotes the text it could not parse; a record's content does not belong in an error message.
    throw new SchemaError(`the ${context.part} of a record of topic '${context.topic}' is not JSON`, [], {
      cause: cause instanceof SyntaxError ? new SyntaxError('not JSON') : cause,
    });
  }
}

/** @throws UsageError for what has no JSON form */
export function stringifyJson(value: unknown, context: SerdeContext): string {
  const out = JSON.stringify(value) as string | undefined;
  if (out !== undefined) return out;
  throw new UsageError(
    `the ${context.part} for topic '${context.topic}' has no JSON form (${typeof value}); use null for a tombstone`,
    context.part,
  );
}

function parsed<T>(read: (text: string, context: SerdeContext) => T): Serde<T> {
  return {
    serialize: stringifyJson,
    deserialize: (data, context) => read(data.toString('utf8'), context),
    deserializeText: read,
  };
}

/** JSON without a schema: what is read is `unknown`. See {@link uncheckedJson} to assert a type instead of checking it. */
export function json(): Serde<unknown>;
/**
 * JSON checked against a Standard Schema (zod, valibot, arktype, ...) when it is read: the value is the schema's output, so that its
 * transforms apply. What is written is the schema's input, by type; it is not checked again.
 *
 * @throws SchemaError when the bytes are not JSON or do not fit; UsageError for a schema that validates asynchronously
 * @example
 * ```ts
 * const Order = z.object({ id: z.string(), total: z.number() });
 * fromGroup({ groupId: 'g', topics: ['orders'], value: json(Order), onDecodeError: deadLetter('orders.dead') });
 * ```
 */
export function json<S extends StandardSchemaV1>(
  schema: S,
): Serde<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>;
export function json(schema?: StandardSchemaV1): Serde<unknown> {
  if (schema === undefined) return parsed(parseJson);
  const standard = schema['~standard'] as StandardSchemaV1['~standard'] | undefined;
  if (typeof standard?.validate !== 'function') {
    throw new UsageError(
      `json(schema) takes a Standard Schema (zod, valibot, ...), not ${typeof schema}`,
      'schema',
    );
  }
  const check = checkedBy(schema);
  return parsed((text, context) => check(parseJson(text, context), context));
}

/** What reads a value as a Standard Schema's output. @throws SchemaError for one that does not fit, UsageError for a schema that validates asynchronously */
export function checkedBy(schema: StandardSchemaV1): (value: unknown, context: SerdeContext) => unknown {
  const standard = schema['~standard'];
  return (value, context) => {
    const result = standard.validate(value);
    if (result instanceof Promise) {
      result.catch(() => undefined);
      throw new UsageError(
        `the schema of topic '${context.topic}' validates asynchronously; json() needs a synchronous one`,
        'schema',
      );
    }
    if (result.issues === undefined) return result.value;
    throw new SchemaError(
      `the ${context.part} of a record of topic '${context.topic}' does not fit its schema: ${describeIssues(result.issues)}`,
      result.issues,
    );
  };
}

/** JSON taken at its word: parsed, but not checked. The type is your assertion. */
export function uncheckedJson<T>(): Serde<T> {
  return parsed((text, context) => parseJson(text, context) as T);
}
