// What the serdes of a registry have in common: which schema to write with and where it is registered, and readers by the number in the record.
import type { Buffer } from 'node:buffer';
import { LRUCache } from 'lru-cache';
import { UsageError } from '../errors.ts';
import type { Bytes } from '../core/records/types.ts';
import type { Serde, SerdeContext } from '../serdes/serde.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistrySchema, SchemaReference, SchemaRegistry, SchemaType } from './schema-registry.ts';
import { SingleFlight } from './single-flight.ts';
import { topicName, type SubjectName } from './subject-name.ts';
import { markOf, type SchemaMark } from './wire-format.ts';

/** Options that every serde of a registry has. */
export interface RegistrySerdeOptions {
  /** Under which subject to register and look up. Default {@link topicName}. */
  readonly subject?: SubjectName | undefined;
  /** Whether the schema is registered at the first record, or must be there already. Default true, as in Confluent's clients; production often wants false. */
  readonly autoRegister?: boolean | undefined;
  /** Writes with the subject's latest schema instead of one given here. It is asked for once. Default false. */
  readonly useLatest?: boolean | undefined;
  /** Lets the registry take schemas that mean the same for one. Default false. */
  readonly normalize?: boolean | undefined;
  /** Schemas under other subjects that the given one uses. */
  readonly references?: readonly SchemaReference[] | undefined;
}

/** Turns values into bytes with one schema. */
export interface Writer<T> {
  readonly id: number;
  write(value: T, id: number, context: SerdeContext): Bytes;
}

/** A schema made ready to write with. */
export interface WriteFormat<T> {
  readonly recordName: string | undefined;
  write(value: T, id: number, context: SerdeContext): Bytes;
}

/** Reads what was written with one schema. */
export interface ReadFormat<T> {
  read(data: Buffer, start: number, context: SerdeContext): T;
}

/** Topics that a serde keeps the numbers for. */
const MAX_TOPICS = 10_000;
/** Schemas that a serde keeps readers for. */
const MAX_READERS = 10_000;

type Place = Pick<SerdeContext, 'topic' | 'part'>;

/** A serde whose schemas are in a registry. Both directions are prepared before they are used, so that neither waits within a record. */
export abstract class RegistrySerde<I, O> implements Serde<I, O> {
  protected readonly registry: SchemaRegistry;
  private readonly schemaType: SchemaType;
  private readonly options: RegistrySerdeOptions;
  private readonly own: string | undefined;
  private readonly readers = new LRUCache<number | string, ReadFormat<O>>({ max: MAX_READERS });
  private readonly writers = new LRUCache<string, Writer<I>>({ max: MAX_TOPICS });
  private readonly preparing = new SingleFlight<number | string, void>();

  constructor(
    registry: SchemaRegistry,
    schemaType: SchemaType,
    own: string | undefined,
    options: RegistrySerdeOptions,
  ) {
    this.registry = registry;
    this.schemaType = schemaType;
    this.own = own;
    this.options = options;
  }

  /** @throws RegistryError before the schema is registered (sinks wait for it), SchemaError for a value that does not fit */
  serialize(value: I, context: SerdeContext): Bytes {
    const writer = this.writers.get(placeOf(context));
    if (writer === undefined) throw notReady(context);
    return writer.write(value, writer.id, context);
  }

  /** @throws SchemaError for bytes that were not written with a schema, or not with one that can be read as this one */
  deserialize(data: Buffer, context: SerdeContext): O {
    const { id, start } = markOf(data, context);
    const reader = this.readers.get(id);
    if (reader === undefined) throw notReady(context);
    return reader.read(data, start, context);
  }

  /** Loads the schema that `data` names. */
  prepare(data: Buffer, context: SerdeContext): Promise<void> | undefined {
    let mark: SchemaMark;
    try {
      mark = markOf(data, context);
    } catch {
      // For deserialize to say.
      return undefined;
    }
    const { id } = mark;
    if (this.readers.get(id) !== undefined) return undefined;
    return this.preparing.run(id, async () => {
      const schema = await this.registry.schemaById(id);
      if (schema.schemaType !== this.schemaType)
        throw new RegistryError(
          `schema ${id} is of type ${schema.schemaType}, and the ${context.part} of topic '${context.topic}' is read as ${this.schemaType}`,
          { retriable: false, schemaId: id },
        );
      this.readers.set(id, await this.readFormat(schema, id));
    });
  }

  /** Gets the number of the schema to write to a topic with. */
  prepareToSerialize(place: Place): Promise<void> | undefined {
    const key = placeOf(place);
    if (this.writers.get(key) !== undefined) return undefined;
    return this.preparing.run(key, async () => {
      this.writers.set(key, await this.writer(place));
    });
  }

  /** Makes a schema ready to read; rejects with SchemaError where what was written with it cannot be read as wanted. */
  protected abstract readFormat(schema: RegistrySchema, id: number | string): Promise<ReadFormat<O>>;

  /** Makes a schema ready to write with. */
  protected abstract writeFormat(schema: RegistrySchema): Promise<WriteFormat<I>>;

  /** The schema that was given, as the registry has it; undefined without one. */
  protected given(): RegistrySchema | undefined {
    if (this.own === undefined) return undefined;
    const { references = [] } = this.options;
    return { schema: this.own, schemaType: this.schemaType, references };
  }

  private async writer(place: Place): Promise<Writer<I>> {
    const { subject = topicName, autoRegister = true, useLatest = false, normalize = false } = this.options;
    const given = this.given();
    const format = given === undefined ? undefined : await this.writeFormat(given);
    const name = subject({ ...place, recordName: format?.recordName });
    if (typeof name !== 'string' || name === '')
      throw new UsageError(`subject answered ${JSON.stringify(name)}, which is no name`, 'subject');
    if (useLatest) {
      const latest = await this.registry.latest(name);
      const { id } = latest;
      return { id, write: bound(await this.writeFormat(latest)) };
    }
    if (given === undefined || format === undefined) {
      throw new UsageError(
        `topic '${place.topic}': there is no schema to write the ${place.part} with; give schema, or useLatest`,
        'schema',
      );
    }
    const id = await (autoRegister
      ? this.registry.register(name, given, { normalize })
      : this.registry.idOf(name, given, { normalize }));
    return { id, write: bound(format) };
  }
}

function bound<T>(format: WriteFormat<T>): Writer<T>['write'] {
  return (value, id, context) => format.write(value, id, context);
}

function placeOf({ topic, part }: Place): string {
  return `${part} ${topic}`;
}

function notReady({ topic, part }: Place): RegistryError {
  return new RegistryError(
    `the schema for the ${part} of topic '${topic}' is not there yet; outside sources and sinks, await prepareToSerialize or prepare first`,
    { retriable: true },
  );
}
