// Whole frames: 4 bytes of length, a header, a body. Request headers are v1 (v2 with tags in flexible versions); response headers are v0 (v1
// with tags in flexible versions), except that of ApiVersions, which is always v0, because the client cannot know yet what the broker speaks.
import { ProtocolError } from '../../errors.ts';
import type { AnyApi, RequestOf, ResponseInit, ResponseOf } from './api.ts';
import { apiByKey } from './apis.ts';
import { ERRORS } from './error-codes.ts';
import { apiVersionsApi } from './messages/18-api-versions.ts';
import { Reader } from './reader.ts';
import { recordBytes } from './size-hint.ts';
import { Writer } from './writer.ts';

/** The header of a request, as a broker reads it. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** Batches from this size on are sent from where they are: below, one more piece costs more than the copy. */
const SHARED_BYTES = 16 * 1024;

/** A request in one buffer: length, header, body. */
export function encodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestOf<A>,
): Buffer {
  const writer = new Writer(256 + recordBytes(api.request.table, body));
  writeRequest(writer, api, version, correlationId, clientId, body);
  return framed(writer);
}

/** As {@link encodeRequest}, in pieces to be sent one after the other; large batches are pieces of their own, not copies. */
export function encodeRequestParts<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestOf<A>,
): readonly Uint8Array[] {
  const writer = new Writer(256 + recordBytes(api.request.table, body, SHARED_BYTES), SHARED_BYTES);
  writeRequest(writer, api, version, correlationId, clientId, body);
  writer.patchInt32(0, writer.bytesWritten - 4);
  return writer.finishParts();
}

function writeRequest<A extends AnyApi>(
  writer: Writer,
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestOf<A>,
): void {
  writer.int32(0);
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(correlationId);
  writer.string(clientId);
  if (version >= api.flexibleFrom) writer.uvarint(0);
  api.request.encode(writer, body, version);
}

/** A response in one buffer: length, header, body. */
export function encodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInit<A>,
): Buffer {
  const writer = new Writer(256 + recordBytes(api.response.table, body));
  writer.int32(0);
  writer.int32(correlationId);
  if (hasResponseTags(api, version)) writer.uvarint(0);
  api.response.encode(writer, body, version);
  return framed(writer);
}

function framed(writer: Writer): Buffer {
  writer.patchInt32(0, writer.pos - 4);
  return writer.finish();
}

function hasResponseTags(api: AnyApi, version: number): boolean {
  return version >= api.flexibleFrom && api.key !== apiVersionsApi.key;
}

/**
 * Reads a request's header; the reader then stands at the body. Of an API we do not know the tags of a v2 header are left unread: there is no
 * way to tell. An unknown version of a known API is taken by the rule of its highest one, as Kafka does for ApiVersions.
 */
export function decodeRequestHeader(reader: Reader): RequestHeader {
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const clientId = reader.nullableString();
  if (apiVersion >= (apiByKey(apiKey)?.flexibleFrom ?? Infinity)) reader.skipTags();
  return { apiKey, apiVersion, correlationId, clientId };
}

/** Decodes a response; the reader stands after the correlation id, and the message must end with its buffer. */
export function decodeResponse<A extends AnyApi>(api: A, version: number, reader: Reader): ResponseOf<A> {
  if (hasResponseTags(api, version)) reader.skipTags();
  if (api.key === apiVersionsApi.key && isVersionRefusal(reader))
    return decodeRefusal(reader) as ResponseOf<A>;
  const body = api.response.decode(reader, version) as ResponseOf<A>;
  if (reader.remaining > 0) {
    throw new ProtocolError(`${api.name} response v${version}: ${reader.remaining} bytes follow its end`, {
      api: api.name,
    });
  }
  return body;
}

function isVersionRefusal(reader: Reader): boolean {
  return reader.remaining >= 2 && reader.buffer.readInt16BE(reader.pos) === ERRORS.UNSUPPORTED_VERSION;
}

/**
 * A broker that does not know our version of ApiVersions answers error 35 in version 0, whatever was asked. Some answer with a body that fits no
 * version; then the error code alone is returned, which is all one needs to ask again with version 0.
 */
function decodeRefusal(reader: Reader): ResponseOf<typeof apiVersionsApi> {
  try {
    return apiVersionsApi.response.decode(new Reader(reader.buffer, reader.pos, reader.end), 0);
  } catch {
    const refusal = Buffer.from([0, ERRORS.UNSUPPORTED_VERSION, 0, 0, 0, 0]);
    return apiVersionsApi.response.decode(new Reader(refusal), 0);
  }
}
