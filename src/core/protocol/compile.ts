// Turns a table in one version into two JavaScript functions at first use (about half a millisecond), some four times faster than closures
// per field. The source text is made of constants in our tables; nothing from the wire or from a user goes into it.
import { decoderSource } from './compile-decoder.ts';
import { encoderSource } from './compile-encoder.ts';
import { interpretDecode, interpretEncode, notInVersion, nullNotAllowed, type Layout } from './interpret.ts';
import type { Reader } from './reader.ts';
import { unfit, type Writer } from './writer.ts';

export type Decoder<T> = (reader: Reader) => T;
export type Encoder<T> = (writer: Writer, value: T) => void;

/** What the generated text refers to as `h`. */
const helpers = {
  empty: Buffer.alloc(0),
  noElements: Object.freeze([]),
  noFields: Object.freeze({}),
  notInVersion,
  nullNotAllowed,
  unfit,
};

let allowed: boolean | undefined;

/** False under `--disallow-code-generation-from-strings` and the like. */
function codeGenerationAllowed(): boolean {
  if (allowed !== undefined) return allowed;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- a constant, to ask whether it may
    new Function('return 0')();
    allowed = true;
  } catch {
    allowed = false;
  }
  return allowed;
}

/** @param label what debuggers and stack traces show, e.g. `kafka:Fetch/12/response`. */
export function compileDecoder<T>(layout: Layout, label: string): Decoder<T> {
  if (!codeGenerationAllowed()) return (reader) => interpretDecode(layout, reader) as T;
  return generate(decoderSource(layout), `${label}/decode`) as Decoder<T>;
}

export function compileEncoder<T>(layout: Layout, label: string): Encoder<T> {
  if (!codeGenerationAllowed()) {
    return (writer, value) => interpretEncode(layout, writer, value as Record<string, unknown>);
  }
  return generate(encoderSource(layout), `${label}/encode`) as Encoder<T>;
}

function generate(source: string, label: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- text from our own tables only
  const define = new Function('h', `${source}//# sourceURL=${label}\n`) as (h: typeof helpers) => unknown;
  return define(helpers);
}
