// librdkafka, through kcat where it is installed, and our client read each other, byte for byte.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CODEC_NAMES } from '../../src/core/compression/codec.ts';
import * as kcat from '../helpers/interop/kcat-side.ts';
import * as ours from '../helpers/interop/ours.ts';
import { linesOf, samples, textSamples, type Sample } from '../helpers/interop/sample.ts';
import { targets, type Target } from '../helpers/interop/targets.ts';

const suite = kcat.hasKcat ? describe : describe.skip;
const all = samples();
const anyTime = { timestamp: true };
/** On a command line there is no zero byte, and an empty value is either always null or never. */
const isTextual = ({ key, value, headers }: Sample): boolean =>
  [key, ...headers.map(([, one]) => one)].every((part) => part === null || !part.includes(0)) &&
  (key === null || key.toString() !== '' || value === null || value.length > 0);
const hard = all.slice(200, -200).filter((sample) => sample.partition === 1 && isTextual(sample));
const plain = textSamples()
  .filter(({ key, value, headers }) => headers.length === 0 && key?.length !== 0 && value?.length !== 0)
  .map((sample) => ({ ...sample, partition: 0 }));

suite.each(targets)('kcat, on %s', (_name, start) => {
  let target: Target;

  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.close());

  it.each(CODEC_NAMES)('we read what it writes idempotently, %s', async (codec) => {
    const [one, many] = [await target.topic(`kcat-${codec}`), await target.topic(`kcat-lines-${codec}`)];
    await Promise.all([
      kcat.write(target.bootstrap, one, hard, codec),
      kcat.writeLines(target.bootstrap, many, plain, codec),
    ]);
    const singly = await ours.read(target.kafka, one);
    expect(linesOf(singly.samples, anyTime)).toEqual(linesOf(hard, anyTime));
    const inBatches = await ours.read(target.kafka, many);
    expect(linesOf(inBatches.samples, anyTime)).toEqual(linesOf(plain, anyTime));
    expect(inBatches.idempotent).toBe(true);
    // It leaves a batch as it is when compressing does not make it smaller.
    expect(inBatches.codecs).toContain(codec);
  });

  it.each(CODEC_NAMES)('it reads what we write, %s', async (codec) => {
    const topic = await target.topic(`ours-${codec}`);
    await ours.write(target.kafka, topic, all, codec);
    const found = await kcat.read(target.bootstrap, topic);
    expect(found).toHaveLength(all.length);
    const wanted = [...all].sort((a, b) => a.partition - b.partition).map(kcat.shown);
    for (const [at, record] of found.entries())
      if (record !== wanted[at]) expect(record.slice(0, 300)).toBe(wanted[at]!.slice(0, 300));
    expect(found.every((record, at) => record === wanted[at])).toBe(true);
  });
});
