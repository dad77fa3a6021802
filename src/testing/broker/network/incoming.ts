import { apiByKey } from '../../../core/protocol/apis.ts';
import { apiVersionsApi } from '../../../core/protocol/messages/18-api-versions.ts';
import { decodeRequestHeader, encodeResponse } from '../../../core/protocol/frame.ts';
import { Reader } from '../../../core/protocol/reader.ts';
import { unknownVersion } from '../apis/18-api-versions.ts';
import type { OfferedApi } from '../apis/registry.ts';

/** A decoded request. */
export interface Incoming {
  readonly offered: OfferedApi;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly bytes: number;
  /** Only of ApiVersions: its body was not read. */
  readonly isUnknownVersion: boolean;
  readonly body: unknown;
}

/** Decodes a frame; undefined when it is not a request that this cluster takes, for which Kafka closes the connection. */
export function readRequest(frame: Buffer, apis: ReadonlyMap<number, OfferedApi>): Incoming | undefined {
  try {
    const reader = new Reader(frame);
    const header = decodeRequestHeader(reader);
    const offered = apis.get(header.apiKey);
    if (offered === undefined) return undefined;
    const version = header.apiVersion;
    // Of an API without a table in core the header's tags are still unread.
    if (apiByKey(header.apiKey) === undefined && version >= offered.handler.api.flexibleFrom)
      reader.skipTags();
    const isServed = version >= offered.minVersion && version <= offered.maxVersion;
    if (!isServed && offered.key !== apiVersionsApi.key) return undefined;
    return {
      offered,
      version,
      correlationId: header.correlationId,
      clientId: header.clientId ?? '',
      bytes: frame.length,
      isUnknownVersion: !isServed,
      body: isServed ? offered.handler.api.request.decode(reader, version) : undefined,
    };
  } catch {
    return undefined;
  }
}

/** The one answer to a version of ApiVersions that is not known: error 35 in version 0, whatever was asked. */
export function refuseVersion(incoming: Incoming): Buffer {
  return encodeResponse(apiVersionsApi, 0, incoming.correlationId, unknownVersion(incoming.offered));
}
