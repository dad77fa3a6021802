import { KafkaError, ProtocolError, UnsupportedVersionError, UsageError } from '../../errors.ts';
import { compileDecoder, compileEncoder, type Decoder, type Encoder } from './compile.ts';
import { interpretEncode, type Layout } from './interpret.ts';
import type { Reader } from './reader.ts';
import { inRange, versionRange, type In, type Out, type Table, type VersionRange } from './schema.ts';
import { Writer } from './writer.ts';

/** Encodes and decodes one message in all its versions; compiled per version at first use. */
export interface MessageCodec<I, O> {
  /** As errors and stack traces name it: `Metadata response`. */
  readonly name: string;
  readonly table: Table;
  readonly versions: VersionRange;
  /** The versions with compact lengths and tagged fields. */
  readonly flexible: VersionRange;
  /** The table in one version. @throws UnsupportedVersionError when it is not one of `versions`. */
  layout(version: number): Layout;
  /** @throws UsageError when a value does not fit its type, UnsupportedVersionError when this version cannot carry it. */
  encode(writer: Writer, value: I, version: number): void;
  /** @throws ProtocolError when the bytes break the protocol. */
  decode(reader: Reader, version: number): O;
}

/** One API of Kafka: a request and its response, in the versions we speak. */
export interface Api<ReqIn, ReqOut, ResIn, ResOut> {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** The first version with compact lengths and tagged fields; Infinity when there is none. */
  readonly flexibleFrom: number;
  readonly request: MessageCodec<ReqIn, ReqOut>;
  readonly response: MessageCodec<ResIn, ResOut>;
}

/** Any API. The one `any` of the protocol: a registry cannot know which bodies it hands out. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyApi = Api<any, any, any, any>;

/** A request as one writes it: fields with a default may be left out. */
export type RequestOf<A> = A extends Api<infer I, unknown, unknown, unknown> ? I : never;
/** A request as a broker reads it. */
export type RequestRead<A> = A extends Api<infer _I, infer O, infer _RI, infer _RO> ? O : never;
/** A response as one reads it: every field present. */
export type ResponseOf<A> = A extends Api<infer _I, infer _O, infer _RI, infer O> ? O : never;
/** A response as a broker writes it. */
export type ResponseInit<A> = A extends Api<infer _I, infer _O, infer I, infer _RO> ? I : never;

/** What a message is and in which versions. */
export interface MessageOptions {
  /** 'Metadata response'. */
  readonly name: string;
  /** '0-13'. */
  readonly versions: string;
  /** '9+'; left out when no version is flexible. */
  readonly flexible?: string | undefined;
}

/** A table with its versions. Keeps one compiled encoder and decoder per version. */
export class Message<T extends Table> implements MessageCodec<In<T>, Out<T>> {
  readonly name: string;
  readonly table: T;
  readonly versions: VersionRange;
  readonly flexible: VersionRange;
  private readonly encoders: Encoder<In<T>>[] = [];
  private readonly decoders: Decoder<Out<T>>[] = [];

  constructor(options: MessageOptions, table: T) {
    this.name = options.name;
    this.table = table;
    this.versions = versionRange(options.versions);
    this.flexible =
      options.flexible === undefined ? { from: Infinity, to: 0 } : versionRange(options.flexible);
  }

  encode(writer: Writer, value: In<T>, version: number): void {
    const encoder = this.encoders[version] ?? this.compileEncoder(version);
    try {
      encoder(writer, value);
    } catch (error) {
      throw this.inContext(error, version, this.culprit(value, version));
    }
  }

  decode(reader: Reader, version: number): Out<T> {
    const decoder = this.decoders[version] ?? this.compileDecoder(version);
    try {
      return decoder(reader);
    } catch (error) {
      throw this.inContext(error, version);
    }
  }

  layout(version: number): Layout {
    if (!inRange(this.versions, version)) {
      const { from, to } = this.versions;
      throw new UnsupportedVersionError(
        `${this.name} version ${version}: only ${from} to ${to} are known here`,
      );
    }
    return { table: this.table, version, flexible: inRange(this.flexible, version) };
  }

  private compileEncoder(version: number): Encoder<In<T>> {
    return (this.encoders[version] = compileEncoder(this.layout(version), this.label(version)));
  }

  private compileDecoder(version: number): Decoder<Out<T>> {
    return (this.decoders[version] = compileDecoder(this.layout(version), this.label(version)));
  }

  private label(version: number): string {
    return `kafka:${this.name.replace(' ', '/')}/${version}`;
  }

  /** The path of the field that cannot be encoded: the interpreter is sent after the compiled encoder, to keep that one free of it. */
  private culprit(value: In<T>, version: number): string {
    const path: string[] = [];
    try {
      interpretEncode(this.layout(version), new Writer(), value, path);
    } catch {
      return `${path.join('.').replaceAll('.[', '[')}: `;
    }
    return '';
  }

  private inContext(error: unknown, version: number, field = ''): unknown {
    if (!(error instanceof KafkaError)) return error;
    const message = `${this.name} v${version}: ${field}${error.message}`;
    if (error instanceof ProtocolError) return new ProtocolError(message, { cause: error });
    if (error instanceof UnsupportedVersionError)
      return new UnsupportedVersionError(message, { cause: error });
    return new UsageError(message, undefined, { cause: error });
  }
}

/** What a table file says of its API. */
export interface ApiOptions {
  readonly key: number;
  /** Kafka's name without `Request`: 'Metadata'. */
  readonly name: string;
  /** The versions we speak; never one that Kafka marks unstable. */
  readonly versions: string;
  readonly flexible?: string;
}

/** Makes an API of its two tables. */
export function api<Q extends Table, S extends Table>(
  options: ApiOptions,
  request: Q,
  response: S,
): Api<In<Q>, Out<Q>, In<S>, Out<S>> & { readonly request: Message<Q>; readonly response: Message<S> } {
  const { key, name, versions, flexible } = options;
  const { from, to } = versionRange(versions);
  return {
    key,
    name,
    minVersion: from,
    maxVersion: to,
    flexibleFrom: flexible === undefined ? Infinity : versionRange(flexible).from,
    request: new Message({ name: `${name} request`, versions, flexible }, request),
    response: new Message({ name: `${name} response`, versions, flexible }, response),
  };
}
