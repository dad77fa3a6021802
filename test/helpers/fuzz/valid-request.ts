// Requests that are well-formed in every API and version, with names and numbers that lead somewhere in a box.
import type { AnyApi } from '../../../src/core/protocol/api.ts';
import type { Random } from '../../../src/core/clock.ts';
import { encodeRequest } from '../../../src/core/protocol/frame.ts';
import { specs } from '../../../src/core/protocol/defaults.ts';
import { inRange } from '../../../src/core/protocol/schema.ts';
import type { FieldSpec, Table } from '../../../src/core/protocol/schema.ts';
import { Writer } from '../../../src/core/protocol/writer.ts';
import { apiByKey } from '../../../src/core/protocol/apis.ts';

/** What the requests may name. */
export interface Vocabulary {
  readonly topics: readonly string[];
  readonly topicIds: readonly string[];
  /** Batches that a log takes. */
  readonly batches: readonly Buffer[];
}

const GROUPS = ['g1', 'g2', 'g3', ''];
const MEMBERS = ['', 'm1', 'm2'];
const TRANSACTIONS = ['t1', 't2', 't3', ''];
const NUMBERS = [-2, -1, 0, 0, 0, 1, 1, 2, 3, 5, 100];
const MAX_WAIT_MS = 20;

/** Makes requests from one source of randomness. */
export class ValidRequests {
  readonly #random: Random;
  readonly #words: Vocabulary;

  constructor(random: Random, words: Vocabulary) {
    this.#random = random;
    this.#words = words;
  }

  /** A request's body. */
  body(api: AnyApi, version: number): Record<string, unknown> {
    return this.#struct(api.request.table, version);
  }

  /** A frame with its length. */
  frame(api: AnyApi, version: number, correlationId: number): Buffer {
    const body = this.body(api, version);
    if (apiByKey(api.key) !== undefined)
      return encodeRequest(api, version, correlationId, 'fuzz', body as never);
    return withHeader(api, version, correlationId, body);
  }

  #struct(table: Table, version: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (const [name, spec] of specs(table)) {
      if (inRange(spec.versions, version)) value[name] = this.#field(name, spec, version);
    }
    return value;
  }

  #field(name: string, spec: FieldSpec, version: number): unknown {
    if (inRange(spec.nullable, version) && this.#random() < 0.15) return null;
    switch (spec.type) {
      case 'array': {
        const length = Math.floor(this.#random() * 3);
        return Array.from({ length }, () => this.#field(name, spec.element!, version));
      }
      case 'struct':
        return this.#struct(spec.table!, version);
      case 'string':
        return this.#string(name);
      case 'uuid':
        return this.#pick(this.#words.topicIds);
      case 'bool':
        return this.#random() < 0.5;
      case 'bytes':
        return this.#bytes();
      case 'records':
        return this.#pick(this.#words.batches);
      case 'int64':
        return BigInt(this.#number(name));
      default:
        return this.#number(name);
    }
  }

  #string(name: string): string {
    const lower = name.toLowerCase();
    if (lower.includes('group') && !lower.includes('instance')) return this.#pick(GROUPS);
    if (lower.includes('member')) return this.#pick(MEMBERS);
    if (lower.includes('transactional') || lower === 'coordinatorkeys' || lower === 'key')
      return this.#pick(TRANSACTIONS);
    if (lower.includes('protocol')) return this.#pick(['consumer', 'range', '']);
    if (lower.includes('mechanism')) return 'PLAIN';
    if (lower.includes('assignor')) return this.#pick(['uniform', 'range']);
    if (lower.includes('regex')) return this.#pick(['', 'li.*', 'o(ther)?', '[a-z]+']);
    if (lower.includes('value')) return this.#pick(['1', '1000', 'compact', 'true', '']);
    return this.#pick([...this.#words.topics, 'retention.ms', 'cleanup.policy', 'fresh', '']);
  }

  #number(name: string): number {
    const lower = name.toLowerCase();
    if (lower.includes('wait') || lower === 'timeoutms') return Math.floor(this.#random() * MAX_WAIT_MS);
    if (lower.includes('sessiontimeout')) return 6000;
    if (lower.includes('timeout')) return 1000;
    if (lower.includes('bytes')) return this.#pick([0, 1, 1000, 1_000_000]);
    if (lower === 'numpartitions' || lower === 'count') return Math.floor(this.#random() * 6);
    if (lower === 'producerid') return this.#pick([-1, 1000, 1001, 1002]);
    return this.#pick(NUMBERS);
  }

  #bytes(): Buffer {
    return Buffer.from(
      Array.from({ length: Math.floor(this.#random() * 20) }, () => Math.floor(this.#random() * 256)),
    );
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }
}

/** For APIs that only the box has a table of. */
function withHeader(api: AnyApi, version: number, correlationId: number, body: object): Buffer {
  const writer = new Writer(256);
  writer.int32(0);
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(correlationId);
  writer.string('fuzz');
  if (version >= api.flexibleFrom) writer.uvarint(0);
  api.request.encode(writer, body, version);
  writer.patchInt32(0, writer.pos - 4);
  return Buffer.from(writer.finish());
}
