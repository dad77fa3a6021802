// librdkafka's side of an exchange, through kcat.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CodecName } from '../../../src/core/compression/codec.ts';
import { isOnPath, run, runForBytes } from '../../testing/broker/command.ts';
import { PARTITIONS, type Sample } from './sample.ts';

export const hasKcat = isOnPath('kcat');

const END = '<--end of record-->\n';
const TUNING = ['enable.idempotence=true', 'message.max.bytes=2000000', 'linger.ms=20'].flatMap((one) => [
  '-X',
  one,
]);
/** Not in any record: each is printed whole. */
const NOWHERE = '<--no delimiter-->';

const headerText = (one: Buffer | null): string => (one === null ? '' : `=${one.toString()}`);

/** Writes the records one by one; values come from files, so that every byte of them is as it is. Headers and keys must be text. */
export async function write(
  bootstrap: string,
  topic: string,
  list: readonly Sample[],
  codec: CodecName,
): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'sluice-kcat-'));
  try {
    for (const [at, { partition, key, value, headers }] of list.entries()) {
      const named = headers.flatMap(([name, one]) => ['-H', `${name}${headerText(one)}`]);
      const common = [
        '-P',
        '-b',
        bootstrap,
        '-t',
        topic,
        '-p',
        String(partition),
        '-z',
        codec,
        ...named,
        ...TUNING,
      ];
      if (value === null) {
        await run('kcat', [...common, '-Z', '-K', '\t'], `${key?.toString() ?? ''}\t`);
        continue;
      }
      const file = path.join(dir, String(at));
      writeFileSync(file, value);
      await run('kcat', [...common, ...(key === null ? [] : ['-k', key.toString()]), file]);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Writes lines of key and value in few batches; with `-Z` an empty part is null. */
export async function writeLines(
  bootstrap: string,
  topic: string,
  list: readonly Sample[],
  codec: CodecName,
): Promise<void> {
  const input = list.map(({ key, value }) => `${key?.toString() ?? ''}\t${value?.toString() ?? ''}`);
  const common = ['-P', '-b', bootstrap, '-t', topic, '-p', '0', '-z', codec, ...TUNING];
  await run('kcat', [...common, '-Z', '-K', '\t'], input.join('\n'));
}

/** A record as kcat prints it: its headers end at a zero byte. */
export function shown({ partition, timestamp, key, value, headers }: Sample): string {
  const listed = headers.map(([name, one]) => {
    const text = one === null ? 'NULL' : one.subarray(0, [...one, 0].indexOf(0)).toString('latin1');
    return `${Buffer.from(name).toString('latin1')}=${text}`;
  });
  const [k, v] = [key, value].map((part) => part?.toString('latin1') ?? '');
  return `${partition} ${timestamp} ${key?.length ?? -1} ${value?.length ?? -1}\n${k}${v}${listed.join(',')}`;
}

/** Everything in a topic as {@link shown}, by partition. */
export async function read(bootstrap: string, topic: string): Promise<string[]> {
  const partitions = Array.from({ length: PARTITIONS }, async (_, partition) => {
    const printed = await runForBytes('kcat', [
      ...['-C', '-b', bootstrap, '-t', topic, '-p', String(partition), '-o', 'beginning', '-e', '-q'],
      ...['-f', `%p %T %K %S\n%k%s%h${END}`, '-D', NOWHERE],
    ]);
    return printed.toString('latin1').split(END).slice(0, -1);
  });
  return (await Promise.all(partitions)).flat();
}
