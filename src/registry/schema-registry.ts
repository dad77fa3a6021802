import { LRUCache } from 'lru-cache';
import { UsageError } from '../errors.ts';
import { registrySettings, type RegistryOptions } from './options.ts';
import { RegistryError } from './registry-error.ts';
import { RestClient, type RegistryRequest } from './rest-client.ts';
import { SingleFlight } from './single-flight.ts';

/** The kinds of schemas that a registry holds. */
export type SchemaType = 'AVRO' | 'JSON' | 'PROTOBUF';

/** A schema under another subject that this one uses by `name`. */
export interface SchemaReference {
  /** How the schema calls it: a full name in Avro, what `$ref` says in JSON Schema. */
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** A schema as the registry keeps it. */
export interface RegistrySchema {
  readonly schemaType: SchemaType;
  /** Its text. */
  readonly schema: string;
  readonly references: readonly SchemaReference[];
}

/** A schema with its number in the registry and its place under a subject. */
export interface RegisteredSchema extends RegistrySchema {
  readonly id: number;
  readonly subject: string;
  readonly version: number;
}

/** So long an answer that there is no such schema is believed: records that name one that does not exist must not become as many requests. */
const MISSING_TTL_MS = 10_000;
/** References of references, in all. */
const MAX_REFERENCES = 1_000;

/** A client of a schema registry; made by {@link schemaRegistry}, and shared by the serdes of a program. */
export class SchemaRegistry {
  private readonly client: RestClient;
  private readonly schemas: LRUCache<string, RegistrySchema>;
  private readonly missing: LRUCache<string, RegistryError>;
  private readonly ids: LRUCache<string, number>;
  private readonly reading = new SingleFlight<string, RegistrySchema>();
  private readonly writing = new SingleFlight<string, number>();

  /** @throws UsageError for options that make no sense */
  constructor(options: RegistryOptions) {
    const settings = registrySettings(options);
    const { clock, maxSchemas } = settings;
    this.client = new RestClient(settings);
    this.schemas = new LRUCache({ max: maxSchemas });
    this.ids = new LRUCache({ max: maxSchemas });
    this.missing = new LRUCache({
      max: maxSchemas,
      ttl: MISSING_TTL_MS,
      ttlResolution: 0,
      // The library takes a start at 0 for none.
      perf: { now: () => clock.now() + 1 },
    });
  }

  /** The schema with this number, or, for ids in headers, with this GUID. Asked for once. */
  schemaById(id: number | string): Promise<RegistrySchema> {
    const place = typeof id === 'number' ? `ids/${id}` : `guids/${encodeURIComponent(id)}`;
    return this.read({ method: 'GET', path: `/schemas/${place}`, what: `give schema ${id}`, schemaId: id });
  }

  /** A version of a subject's schema; versions never change, so it is asked for once. */
  schemaAt(subject: string, version: number): Promise<RegistrySchema> {
    return this.read({
      method: 'GET',
      // What refers to a version may do so after that was deleted.
      path: `/subjects/${encodeURIComponent(subject)}/versions/${version}?deleted=true`,
      what: `give version ${version} of subject '${subject}'`,
      subject,
    });
  }

  /** The newest version of a subject's schema, asked for each time. */
  async latest(subject: string): Promise<RegisteredSchema> {
    const answer = await this.client.request({
      method: 'GET',
      path: `/subjects/${encodeURIComponent(subject)}/versions/latest`,
      what: `give the latest schema of subject '${subject}'`,
      subject,
    });
    const { id, version } = answer as { id?: unknown; version?: unknown };
    const schema = schemaFrom(answer);
    this.schemas.set(`/schemas/ids/${String(id)}`, schema);
    return { ...schema, id: numberFrom(id, 'id'), version: numberFrom(version, 'version'), subject };
  }

  /** Puts a schema under a subject, unless it is there already, and answers with its number. */
  register(
    subject: string,
    schema: RegistrySchema,
    options: { readonly normalize?: boolean } = {},
  ): Promise<number> {
    return this.idFrom(
      `/subjects/${encodeURIComponent(subject)}/versions`,
      subject,
      schema,
      options.normalize,
      {
        what: `register a schema under subject '${subject}'`,
      },
    );
  }

  /** The number of a schema that is under a subject already. */
  idOf(
    subject: string,
    schema: RegistrySchema,
    options: { readonly normalize?: boolean } = {},
  ): Promise<number> {
    return this.idFrom(`/subjects/${encodeURIComponent(subject)}`, subject, schema, options.normalize, {
      what: `find the schema under subject '${subject}' (it is not registered, and autoRegister is off)`,
    });
  }

  /** All schemas that `schema` refers to, directly or not, each before those that use it, by their names. */
  async referencesOf(schema: RegistrySchema): Promise<ReadonlyMap<string, RegistrySchema>> {
    const found = new Map<string, RegistrySchema>();
    const open = new Set<string>();
    const visit = async ({ references }: RegistrySchema): Promise<void> => {
      for (const { name, subject, version } of references) {
        if (found.has(name)) continue;
        if (open.has(name))
          throw new RegistryError(`the schema '${name}' refers to itself through others`, {
            retriable: false,
            subject,
          });
        if (open.size + found.size >= MAX_REFERENCES)
          throw new RegistryError(`a schema refers to more than ${MAX_REFERENCES} others`, {
            retriable: false,
            subject,
          });
        open.add(name);
        const used = await this.schemaAt(subject, version);
        await visit(used);
        open.delete(name);
        found.set(name, used);
      }
    };
    await visit(schema);
    return found;
  }

  private async read(request: RegistryRequest): Promise<RegistrySchema> {
    const key = request.path;
    const known = this.schemas.get(key);
    if (known !== undefined) return known;
    const missing = this.missing.get(key);
    if (missing !== undefined) throw missing;
    return this.reading.run(key, async () => {
      try {
        const schema = schemaFrom(await this.client.request(request));
        this.schemas.set(key, schema);
        return schema;
      } catch (error) {
        if (error instanceof RegistryError && error.status === 404) this.missing.set(key, error);
        throw error;
      }
    });
  }

  private async idFrom(
    path: string,
    subject: string,
    schema: RegistrySchema,
    normalize: boolean | undefined,
    { what }: { what: string },
  ): Promise<number> {
    const { schemaType, references } = schema;
    const body = {
      schema: schema.schema,
      // Registries from before there were other kinds do not know the field.
      ...(schemaType === 'AVRO' ? {} : { schemaType }),
      ...(references.length === 0 ? {} : { references }),
    };
    const query = normalize === true ? '?normalize=true' : '';
    const key = `${path}${query} ${JSON.stringify(body)}`;
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    return this.writing.run(key, async () => {
      const answer = await this.client.request({
        method: 'POST',
        path: `${path}${query}`,
        body,
        what,
        subject,
      });
      const id = numberFrom((answer as { id?: unknown }).id, 'id');
      this.ids.set(key, id);
      return id;
    });
  }
}

function unusable(what: string): RegistryError {
  return new RegistryError(
    `the schema registry answered without a usable ${what}; is that a schema registry?`,
    {
      retriable: false,
    },
  );
}

function numberFrom(value: unknown, what: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xff_ff_ff_ff)
    return value as number;
  throw unusable(what);
}

function schemaFrom(answer: unknown): RegistrySchema {
  const {
    schema,
    schemaType = 'AVRO',
    references = [],
  } = answer as {
    schema?: unknown;
    schemaType?: unknown;
    references?: unknown;
  };
  if (typeof schema !== 'string') throw unusable('schema');
  if (schemaType !== 'AVRO' && schemaType !== 'JSON' && schemaType !== 'PROTOBUF')
    throw unusable('schemaType');
  if (!Array.isArray(references)) throw unusable('references');
  return { schema, schemaType, references: references.map(referenceFrom) };
}

function referenceFrom(value: unknown): SchemaReference {
  const { name, subject, version } = (value ?? {}) as {
    name?: unknown;
    subject?: unknown;
    version?: unknown;
  };
  if (typeof name !== 'string' || typeof subject !== 'string') throw unusable('reference');
  return { name, subject, version: numberFrom(version, 'reference') };
}

/**
 * A client of a schema registry that speaks Confluent's REST interface. It connects at first use, keeps what it read, asks for one thing once at a time, repeats what was
 * not answered or with 5xx, and gives up after `timeoutMs` with a {@link RegistryError}.
 *
 * What a registry serves is trusted as code is: serdes compile its schemas.
 *
 * @example
 * ```ts
 * const registry = schemaRegistry({ url: 'http://localhost:8081' });
 * fromGroup({ groupId: 'g', topics: ['orders'], value: avro<Order>(registry) });
 * ```
 * @throws UsageError for options that make no sense
 */
export function schemaRegistry(options: RegistryOptions): SchemaRegistry {
  if (typeof options !== 'object' || options === null)
    throw new UsageError('schemaRegistry takes an object with a url', 'url');
  return new SchemaRegistry(options);
}
