// Checks every protocol table of src/core/protocol and of the broker in the box against the message JSON inside Apache Kafka's clients jar: which fields, in which order,
// of which type, in which versions, nullable where, tagged how, with which default, ignorable or not, flexible from where, and that no version
// is spoken that Kafka does not list or marks unstable.
//
//   npm run check:protocol [-- path/to/kafka-clients-4.3.1.jar]
//
// Without a path the jar is fetched with Maven, as the tests do.
//
// Exit code 0: no difference; 1: differences, each printed; 2: it could not run.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { kafkaLib, KAFKA_VERSION } from '../test/helpers/kafka/jars.ts';
import type { AnyApi, MessageCodec } from '../src/core/protocol/api.ts';
import { APIS } from '../src/core/protocol/apis.ts';
import { offerApis } from '../src/testing/broker/apis/registry.ts';
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../src/core/protocol/consumer-protocol.ts';
import { specs } from '../src/core/protocol/defaults.ts';
import {
  inRange,
  versionRange,
  ZERO_UUID,
  type FieldSpec,
  type Table,
  type VersionRange,
} from '../src/core/protocol/schema.ts';

interface JsonField {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly flexibleVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly ignorable?: boolean;
  readonly fields?: readonly JsonField[];
}

interface JsonMessage {
  readonly apiKey?: number;
  readonly name: string;
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly latestVersionUnstable?: boolean;
  readonly fields: readonly JsonField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly JsonField[] }[];
}

/** What is compared of a message. */
type Described = Pick<MessageCodec<unknown, unknown>, 'name' | 'table' | 'versions' | 'flexible'>;

/** One message in one version, ours beside Kafka's. */
interface Place {
  readonly version: number;
  readonly path: string;
  readonly json: JsonMessage;
}

const differences: string[] = [];
const counts = { apis: 0, messages: 0, versions: 0, fields: 0, comparisons: 0 };

function same(path: string, what: string, ours: unknown, kafka: unknown): void {
  counts.comparisons++;
  if (Object.is(ours, kafka)) return;
  differences.push(`${path}: ${what} is ${show(ours)} here and ${show(kafka)} in Kafka`);
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'absent');
}

function stop(message: string): never {
  console.error(message);
  process.exit(2);
}

function readJson(jar: string, name: string): JsonMessage {
  const entry = `common/message/${name}.json`;
  const unzip = spawnSync('unzip', ['-p', jar, entry], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (unzip.error !== undefined) {
    stop(
      `This check needs the program "unzip" to read the jar, and it could not be started: ${unzip.error.message}`,
    );
  }
  if (unzip.status !== 0) stop(`${jar} has no readable ${entry}: ${unzip.stderr.trim()}`);
  const withoutComments = unzip.stdout.replaceAll(/^\s*\/\/.*$/gm, '');
  return JSON.parse(withoutComments) as JsonMessage;
}

const OUR_TYPES: Readonly<Record<string, readonly string[]>> = { int64: ['int64', 'offset', 'timestamp'] };

/** '3+', '0-12', 'none' or absent. */
function kafkaRange(text: string | undefined): VersionRange {
  return text === undefined || text === 'none' ? { from: 1, to: 0 } : versionRange(text);
}

function camelCase(name: string): string {
  return name[0]!.toLowerCase() + name.slice(1);
}

function structFields(place: Place, field: JsonField, type: string): readonly JsonField[] | undefined {
  return field.fields ?? place.json.commonStructs?.find((common) => common.name === type)?.fields;
}

function checkTable(place: Place, table: Table, fields: readonly JsonField[]): void {
  const ours = specs(table).filter(([, spec]) => inRange(spec.versions, place.version));
  const kafka = fields.filter((field) => inRange(kafkaRange(field.versions), place.version));
  const names = kafka.map((field) => camelCase(field.name));
  same(place.path, 'the list of fields', ours.map(([name]) => name).join(' '), names.join(' '));
  for (const field of kafka) {
    const spec = table[camelCase(field.name)]?.spec;
    if (spec !== undefined)
      checkField({ ...place, path: `${place.path}.${camelCase(field.name)}` }, spec, field);
  }
}

function checkField(place: Place, spec: FieldSpec, field: JsonField): void {
  const { path, version } = place;
  counts.fields++;
  checkType(place, spec, field, field.type);
  same(
    path,
    'nullable',
    inRange(spec.nullable, version),
    inRange(kafkaRange(field.nullableVersions), version),
  );
  const tagged = inRange(kafkaRange(field.taggedVersions), version);
  same(path, 'tag', spec.tag, tagged ? field.tag : -1);
  same(path, 'ignorable', spec.ignorable, field.ignorable ?? false);
  same(path, 'default', ourDefault(spec), kafkaDefault(spec, field));
  if (field.flexibleVersions !== undefined) {
    differences.push(`${path}: Kafka gives this field its own flexibleVersions, which the tables cannot say`);
  }
}

function checkType(place: Place, spec: FieldSpec, field: JsonField, type: string): void {
  const { path } = place;
  if (type.startsWith('[]')) {
    same(path, 'type', spec.type, 'array');
    if (spec.element !== undefined) {
      checkType({ ...place, path: `${path}[]` }, spec.element, field, type.slice(2));
      same(`${path}[]`, 'nullable', inRange(spec.element.nullable, place.version), false);
    }
    return;
  }
  const fields = structFields(place, field, type);
  if (fields === undefined) {
    const allowed = OUR_TYPES[type] ?? [type];
    same(path, 'type', allowed.includes(spec.type) ? type : spec.type, type);
    return;
  }
  same(path, 'type', spec.type, 'struct');
  if (spec.table !== undefined) checkTable(place, spec.table, fields);
}

function kafkaDefault(spec: FieldSpec, field: JsonField): unknown {
  const given = field.default;
  if (given === 'null') return null;
  switch (spec.type) {
    case 'string':
      return given ?? '';
    case 'bool':
      return given === true || given === 'true';
    case 'uuid':
      return given ?? ZERO_UUID;
    case 'array':
    case 'bytes':
    case 'records':
      return 'empty';
    case 'struct':
      return 'struct of defaults';
    default:
      return BigInt(given ?? 0);
  }
}

/** Our default in the form of `kafkaDefault`. */
function ourDefault(spec: FieldSpec): unknown {
  const value = spec.default;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return BigInt(value);
  if (value === undefined) return 'struct of defaults';
  return (value as { readonly length: number }).length === 0 ? 'empty' : `a ${spec.type} that is not empty`;
}

function checkMessage(message: Described, json: JsonMessage, unstable: boolean): void {
  counts.messages++;
  const name = json.name;
  const valid = kafkaRange(json.validVersions);
  const highest = unstable ? valid.to - 1 : valid.to;
  const { from, to } = message.versions;
  if (from < valid.from || to > highest) {
    const but = unstable ? ` of which the last is unstable` : '';
    differences.push(
      `${name}: versions ${from}-${to} are spoken here, Kafka has ${json.validVersions}${but}`,
    );
  }
  const flexible = kafkaRange(json.flexibleVersions);
  for (let version = from; version <= to; version++) {
    counts.versions++;
    const path = `${name} v${version}`;
    same(path, 'flexible', inRange(message.flexible, version), inRange(flexible, version));
    checkTable({ version, path, json }, message.table, json.fields);
  }
  checkUnused(message.table, message.versions, name);
}

/** A field that no version we speak carries would be a field that nothing here has compared. */
function checkUnused(table: Table, spoken: VersionRange, path: string): void {
  for (const [name, spec] of specs(table)) {
    if (spec.versions.from > spoken.to || spec.versions.to < spoken.from) {
      differences.push(`${path}.${name}: in no version that is spoken`);
    }
    const inner = spec.table ?? spec.element?.table;
    if (inner !== undefined) checkUnused(inner, spoken, `${path}.${name}`);
  }
}

function checkApi(jar: string, api: AnyApi): void {
  counts.apis++;
  const request = readJson(jar, `${api.name}Request`);
  const response = readJson(jar, `${api.name}Response`);
  same(api.name, 'key', api.key, request.apiKey);
  same(api.name, 'key of the response', api.key, response.apiKey);
  const unstable = request.latestVersionUnstable ?? false;
  checkMessage(api.request, request, unstable);
  checkMessage(api.response, response, unstable);
  const { from, to } = versionRange(request.validVersions);
  console.log(
    `${String(api.key).padStart(3)} ${api.name.padEnd(22)} ${`${api.minVersion}-${api.maxVersion}`.padEnd(6)} (Kafka ${from}-${to}${unstable ? ', last unstable' : ''})`,
  );
}

const lib = process.argv[2] === undefined ? kafkaLib() : undefined;
const jar = process.argv[2] ?? (lib === undefined ? undefined : `${lib}/kafka-clients-${KAFKA_VERSION}.jar`);
if (jar === undefined)
  stop('Without Maven, name the jar: npm run check:protocol -- path/to/kafka-clients-<version>.jar');
if (!existsSync(jar)) stop(`No file at ${jar}`);

const served = Array.from(offerApis().values(), ({ handler }) => handler.api);
for (const api of new Set([...APIS, ...served].sort((a, b) => a.key - b.key))) checkApi(jar, api);
for (const message of [consumerProtocolSubscription, consumerProtocolAssignment]) {
  checkMessage(message, readJson(jar, message.name), false);
}

for (const difference of differences) console.error(`DIFFERENCE ${difference}`);
console.log(
  `${counts.apis} APIs, ${counts.messages} messages, ${counts.versions} message versions, ${counts.fields} fields in them, ` +
    `${counts.comparisons} comparisons: ${differences.length === 0 ? 'no difference' : `${differences.length} differences`}`,
);
process.exitCode = differences.length === 0 ? 0 : 1;
