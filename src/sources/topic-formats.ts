import { UsageError } from '../errors.ts';
import { Decoder } from './decoder.ts';
import type { Formats } from './options.ts';

/** `topics` of `fromGroup` in its three forms. */
export type Topics = readonly string[] | RegExp | { readonly [topic: string]: Formats<unknown, unknown> };

/** What to subscribe to. */
export function subscribedTopics(topics: Topics): readonly string[] | RegExp {
  if (topics instanceof RegExp || Array.isArray(topics)) return topics as readonly string[] | RegExp;
  if (typeof topics !== 'object' || topics === null) {
    throw new UsageError(
      `fromGroup: 'topics' is a list of names, a RegExp, or a map of names to formats, not ${String(topics)}`,
      'topics',
    );
  }
  return Object.keys(topics);
}

/** Decoders by topic, made at first use. */
export function decodersOf(topics: Topics, common: Formats<unknown, unknown>): (topic: string) => Decoder {
  const decoders = new Map<string, Decoder>();
  const perTopic =
    topics instanceof RegExp || Array.isArray(topics)
      ? undefined
      : (topics as Record<string, Formats<unknown, unknown>>);
  return (topic) => {
    let decoder = decoders.get(topic);
    if (decoder === undefined) {
      decoder = new Decoder(topic, perTopic === undefined ? common : (perTopic[topic] ?? {}));
      decoders.set(topic, decoder);
    }
    return decoder;
  };
}
