// Java's client, by program and by Kafka's console tools, and our client read each other, byte for byte.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CODEC_NAMES } from '../../src/core/compression/codec.ts';
import * as java from '../helpers/interop/java-side.ts';
import * as ours from '../helpers/interop/ours.ts';
import { linesOf, samples, textSamples } from '../helpers/interop/sample.ts';
import { realTargets, targets, type Target } from '../helpers/interop/targets.ts';

const suite = java.lib === undefined ? describe.skip : describe;
const all = samples();
const texts = textSamples();

const topicsFor = (target: Target, base: string, partitions?: number): Promise<string[]> =>
  Promise.all(CODEC_NAMES.map((codec) => target.topic(`${base}-${codec}`, partitions)));

suite.each(targets)("Java's client, on %s", (_name, start) => {
  let target: Target;

  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.close());

  it('we read what its producer writes idempotently, all codecs', async () => {
    const topics = await topicsFor(target, 'java');
    await java.write(
      target.bootstrap,
      topics.map((topic, at) => ({ topic, codec: CODEC_NAMES[at]!, samples: all })),
    );
    for (const [at, topic] of topics.entries()) {
      const { samples: found, codecs, idempotent } = await ours.read(target.kafka, topic);
      expect(linesOf(found)).toEqual(linesOf(all));
      expect({ codecs, idempotent }).toEqual({ codecs: [CODEC_NAMES[at]], idempotent: true });
    }
  });

  it('its consumer reads what we write, all codecs', async () => {
    const topics = await topicsFor(target, 'ours');
    for (const [at, topic] of topics.entries()) await ours.write(target.kafka, topic, all, CODEC_NAMES[at]!);
    const found = await java.read(target.bootstrap, topics);
    for (const topic of topics) expect(linesOf(found.get(topic)!)).toEqual(linesOf(all));
  });

  it('same keys, same partitions', async () => {
    const [one, other] = [await target.topic('keys-java', 7), await target.topic('keys-ours', 7)];
    const keys = Array.from({ length: 500 }, (_, at) =>
      Buffer.from(Array.from({ length: at % 23 }, (_unused, index) => (at * 31 + index * 97) & 0xff)),
    );
    const distinct = [...new Map(keys.map((key) => [key.toString('base64'), key])).values()];
    const partitions = await java.route(target.bootstrap, one, distinct);
    await ours.writeKeys(target.kafka, other, distinct);
    const found = await ours.partitionsOf(target.kafka, other);
    expect(distinct.map((key) => found.get(key.toString('base64')))).toEqual(partitions);
    expect(new Set(partitions).size).toBe(7);
  });
});

(realTargets.length > 0 ? suite : describe.skip)("Kafka's console tools", () => {
  let target: Target;

  beforeAll(async () => {
    target = await realTargets[0]![1]();
  });
  afterAll(() => target.close());

  it('we read what the console producer writes, all codecs', async () => {
    const topics = await topicsFor(target, 'console', 1);
    await Promise.all(
      topics.map((topic, at) => java.consoleWrite(target.bootstrap, topic, texts, CODEC_NAMES[at]!)),
    );
    const anyTime = { timestamp: true };
    for (const [at, topic] of topics.entries()) {
      const { samples: found, codecs, idempotent } = await ours.read(target.kafka, topic);
      expect(linesOf(found, anyTime)).toEqual(linesOf(texts, anyTime));
      expect({ codecs, idempotent }).toEqual({ codecs: [CODEC_NAMES[at]], idempotent: true });
    }
  });

  it('the console consumer prints what we write, all codecs, and we read its commits', async () => {
    const base = `printed-${process.pid}`;
    const topics = await topicsFor(target, base, 1);
    for (const [at, topic] of topics.entries())
      await ours.write(target.kafka, topic, texts, CODEC_NAMES[at]!);
    const group = target.group('console');
    const count = texts.length * topics.length;
    const printed = await java.consoleRead(target.bootstrap, `${base}-.*`, group, count);
    const wanted = topics.flatMap(() => texts.map(java.consoleLine));
    expect(printed.sort()).toEqual(wanted.sort());
    const commits = await target.kafka.admin().fetchOffsets(group);
    expect(commits.map(({ topic, offset }) => [topic, offset]).sort()).toEqual(
      topics.map((topic) => [topic, texts.length]).sort(),
    );
  });
});
