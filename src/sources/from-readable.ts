import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { UsageError } from '../errors.ts';
import type { Flow } from '../flow/flow.ts';
import { pullSource } from './pull-source.ts';

/** Bytes of a JavaScript string character, and of the string around them. */
const CHARACTER_BYTES = 2;
const STRING_BYTES = 32;

/** A stream without line ends must not fill the memory. */
const MAX_LINE_CHARACTERS = 64 * 1024 * 1024;

async function* chunksOf(readable: Readable): AsyncGenerator<Iterable<Buffer>, undefined> {
  for await (const chunk of readable as AsyncIterable<Buffer | string>) {
    yield [typeof chunk === 'string' ? Buffer.from(chunk) : chunk];
  }
  return undefined;
}

/** Line ends are \n and \r\n; the last line needs none. A multi-byte character may be cut by a chunk's end. */
async function* linesOf(readable: Readable): AsyncGenerator<Iterable<string>, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of readable as AsyncIterable<Buffer | string>) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk))).split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new UsageError(
        `fromReadable: a line has more than ${MAX_LINE_CHARACTERS} characters; read it as 'chunks'`,
        'as',
      );
    }
    if (lines.length > 0) yield trimmed(lines);
  }
  rest += decoder.end();
  if (rest !== '') yield trimmed([rest]);
  return undefined;
}

function trimmed(lines: string[]): string[] {
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.endsWith('\r')) lines[at] = line.slice(0, -1);
  }
  return lines;
}

/**
 * A flow of a Node stream's lines (without their ends, UTF-8) or chunks. The stream is read only while fewer than 40,000 values and 16 MiB of
 * them are unsettled, so a slow sink slows the reading; it is destroyed when the flow ends early. A stream can be read once: so can the flow.
 *
 * @example
 * ```ts
 * fromReadable(createReadStream('access.log'), { as: 'lines' }).pipe(toTopic('access-log', (line) => ({ value: line })));
 * ```
 */
export function fromReadable(readable: Readable, options: { readonly as: 'lines' }): Flow<string>;
export function fromReadable(readable: Readable, options: { readonly as: 'chunks' }): Flow<Buffer>;
export function fromReadable(
  readable: Readable,
  options: { readonly as: 'lines' | 'chunks' },
): Flow<string> | Flow<Buffer> {
  const as: unknown = options.as;
  if (as === 'lines') {
    return pullSource<string>({
      name: 'readable',
      open: () => linesOf(readable),
      sizeOf: (line) => line.length * CHARACTER_BYTES + STRING_BYTES,
    });
  }
  if (as === 'chunks') {
    return pullSource<Buffer>({
      name: 'readable',
      open: () => chunksOf(readable),
      sizeOf: (chunk) => chunk.length,
    });
  }
  throw new UsageError(`fromReadable: 'as' is 'lines' or 'chunks', not ${String(as)}`, 'as');
}
