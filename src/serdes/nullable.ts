import type { Buffer } from 'node:buffer';
import type { Bytes } from '../core/records/types.ts';
import type { Serde, SerdeContext } from './serde.ts';

/**
 * Lets null through untouched in both directions, where a topic has tombstones or records without a key. Without it a null is an error of
 * the record, handled by `onDecodeError`.
 */
export function nullable<I, O>(serde: Serde<I, O>): Serde<I | null, O | null> {
  return {
    nullable: true,
    // The sink writes null itself and never asks a serializer for it.
    serialize: (value, context): Bytes => serde.serialize(value as I, context),
    deserialize: (data, context) => serde.deserialize(data, context),
    ...(serde.deserializeText === undefined
      ? {}
      : {
          deserializeText: (value: string, context: SerdeContext) => serde.deserializeText!(value, context),
        }),
    ...(serde.prepare === undefined
      ? {}
      : { prepare: (data: Buffer, context: SerdeContext) => serde.prepare?.(data, context) }),
    ...(serde.prepareToSerialize === undefined
      ? {}
      : {
          prepareToSerialize: (place: Pick<SerdeContext, 'topic' | 'part'>) =>
            serde.prepareToSerialize?.(place),
        }),
  };
}
