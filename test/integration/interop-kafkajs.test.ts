// kafkajs and our client read each other, byte for byte.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import * as theirs from '../helpers/interop/kafkajs-side.ts';
import * as ours from '../helpers/interop/ours.ts';
import { linesOf, samples } from '../helpers/interop/sample.ts';
import { targets, type Target } from '../helpers/interop/targets.ts';

const all = samples();

describe.each(targets)('kafkajs, on %s', (_name, start) => {
  let target: Target;

  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.close());

  it.each(theirs.KAFKAJS_CODECS)('we read what it writes idempotently, %s', async (codec) => {
    const topic = await target.topic(`kafkajs-${codec}`);
    const list = all.map(theirs.withoutNullHeaders);
    await theirs.write(target.bootstrap, topic, list, codec);
    const { samples: found, codecs, idempotent } = await ours.read(target.kafka, topic);
    expect(linesOf(found)).toEqual(linesOf(list));
    expect({ codecs, idempotent }).toEqual({ codecs: [codec], idempotent: true });
  });

  it.each(theirs.KAFKAJS_CODECS)('it reads what we write, %s', async (codec) => {
    const topic = await target.topic(`ours-${codec}`);
    await ours.write(target.kafka, topic, all, codec);
    const found = await theirs.read(target.bootstrap, topic, target.group('kafkajs'), all.length);
    expect(linesOf(found)).toEqual(linesOf(all));
  });

  it('we read what we write, and every batch is idempotent and compressed', async () => {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const topic = await target.topic(`both-${codec}`);
      await ours.write(target.kafka, topic, all, codec);
      const { samples: found, codecs, idempotent } = await ours.read(target.kafka, topic);
      expect(linesOf(found)).toEqual(linesOf(all));
      expect({ codecs, idempotent }).toEqual({ codecs: [codec], idempotent: true });
    }
  });

  it("same keys, same partitions as kafkajs's default", async () => {
    const [one, other] = [await target.topic('keys-kafkajs', 7), await target.topic('keys-ours', 7)];
    const keys = Array.from({ length: 300 }, (_, at) => `key ${at} ${'é'.repeat(at % 7)}`);
    const producer = theirs.kafkajsOf(target.bootstrap).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    await producer.send({ topic: one, messages: keys.map((key) => ({ key, value: key })) });
    await producer.disconnect();
    await ours.writeKeys(
      target.kafka,
      other,
      keys.map((key) => Buffer.from(key)),
    );
    expect(await ours.partitionsOf(target.kafka, other)).toEqual(await ours.partitionsOf(target.kafka, one));
  });
});
