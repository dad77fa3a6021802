// Real text to work on: the README and licence files of the installed packages.
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';

const WANTED = /^(readme|licen[cs]e)/i;

/** The texts under `root`, sorted, at most three folders deep. */
export async function findTexts(root: string, depth = 3): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = path.join(root, entry.name);
    if (entry.isDirectory() && depth > 1) found.push(...(await findTexts(at, depth - 1)));
    else if (entry.isFile() && WANTED.test(entry.name)) found.push(at);
  }
  return found;
}

/** All files one after the other, as one stream; a file always ends its last line. */
export function concatenated(files: readonly string[]): Readable {
  return Readable.from(
    (async function* () {
      for (const file of files) {
        yield* createReadStream(file) as AsyncIterable<Buffer>;
        yield Buffer.from('\n');
      }
    })(),
    { objectMode: false },
  );
}
