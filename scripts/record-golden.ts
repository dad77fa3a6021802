// Records what a real Kafka answers, frame by frame, into test/golden/broker: `npx tsx scripts/record-golden.ts`.
import { rmSync, writeFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { KAFKA_VERSION, kafkaLib } from '../test/helpers/kafka/jars.ts';
import { startRealKafka } from '../test/helpers/kafka/real-kafka.ts';
import { converse } from '../test/testing/broker/recorded/conversation.ts';
import { Talk, type Exchange } from '../test/testing/broker/recorded/talk.ts';

/** Kafka's own, which the tests' settings differ from. */
const DEFAULTS = {
  'message.max.bytes': '1048588',
  'log.retention.ms': '604800000',
  'offsets.topic.num.partitions': '50',
  'transaction.state.log.num.partitions': '50',
};

const FOLDER = path.join('test', 'golden', 'broker');

function write(exchanges: readonly Exchange[]): void {
  for (const name of readdirSync(FOLDER)) if (name.endsWith('.json')) rmSync(path.join(FOLDER, name));
  for (const api of new Set(exchanges.map((one) => one.api))) {
    const lines = exchanges
      .map((one, at) => ({ ...one, at }))
      .filter((one) => one.api === api)
      .map(({ at, version, request, response }) =>
        JSON.stringify({ at, version, request: request.toString('hex'), response: response.toString('hex') }),
      );
    writeFileSync(path.join(FOLDER, `${api}.json`), `[\n${lines.join(',\n')}\n]\n`);
  }
  console.log(`${exchanges.length} exchanges of ${new Set(exchanges.map((one) => one.api)).size} APIs`);
}

async function main(): Promise<void> {
  const lib = kafkaLib();
  if (lib === undefined) throw new Error('Recording needs Java 17 and Maven.');
  const kafka = await startRealKafka({ lib, properties: DEFAULTS });
  try {
    const talk = new Talk(kafka.bootstrap[0]!);
    await converse(talk);
    write(talk.exchanges);
  } finally {
    await kafka.stop();
  }
  console.log(`recorded from Kafka ${KAFKA_VERSION}`);
}

void main();
