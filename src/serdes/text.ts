import type { Serde } from './serde.ts';

const utf8: Serde<string> = {
  serialize: (value) => value,
  deserialize: (data) => data.toString('utf8'),
  deserializeText: (value) => value,
};

/**
 * UTF-8 text. Malformed bytes are read as U+FFFD, never an error; empty text and null stay apart.
 *
 * @example
 * ```ts
 * fromGroup({ groupId: 'g', topics: ['lines'], key: nullable(text()), value: text() });
 * ```
 */
export function text(): Serde<string> {
  return utf8;
}
