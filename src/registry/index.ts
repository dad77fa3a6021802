// Entry point `sluice/registry`: Avro and JSON Schema with a schema registry.
export { avro, type AvroOptions } from './avro.ts';
export { jsonSchema, type JsonSchemaOptions } from './json-schema.ts';
export type { Fetch, RegistryAuth, RegistryOptions } from './options.ts';
export { RegistryError } from './registry-error.ts';
export type { RegistrySerdeOptions } from './registry-serde.ts';
export {
  SchemaRegistry,
  schemaRegistry,
  type RegisteredSchema,
  type RegistrySchema,
  type SchemaReference,
  type SchemaType,
} from './schema-registry.ts';
export { recordName, topicName, topicRecordName, type SubjectName, type SubjectOf } from './subject-name.ts';
