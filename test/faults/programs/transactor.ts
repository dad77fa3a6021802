// A process to be killed: transaction after transaction under an id that it competes for. Arguments as one JSON object; events as JSON lines.
import { Kafka, OutcomeUnknownError, TransactionFatalError } from '../../../src/index.ts';
import type { TransactionalProducer } from '../../../src/core/index.ts';

const options = JSON.parse(process.argv[2]!) as {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly transactionalId: string;
  readonly run: string;
  readonly transactions: number;
};
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
const kafka = new Kafka({ brokers: options.brokers });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function open(): Promise<TransactionalProducer> {
  const producer = kafka.producer({ transactionalId: options.transactionalId, transactionTimeoutMs: 5_000 });
  await producer.init();
  return producer;
}

let producer = await open();
for (let n = 0; n < options.transactions; n += 1) {
  const name = `${options.run}.${n}`;
  try {
    producer.begin();
    for (let record = 0; record < 5; record += 1)
      producer
        .sendAsync(options.topic, { value: `${name}.${record}`, partition: record % 3 })
        .catch(() => undefined);
    if (Math.random() < 0.3) {
      await producer.abort();
      say({ aborted: name });
      continue;
    }
    say({ committing: name });
    for (;;) {
      try {
        await producer.commit();
        break;
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError)) throw error;
      }
    }
    say({ committed: name });
  } catch (error) {
    await recover(error, name);
  }
}

/** An abortable error is aborted; shut out by the other one, the id is taken back after a while. */
async function recover(error: unknown, name: string): Promise<void> {
  if (!(error instanceof TransactionFatalError)) {
    if (producer.status !== 'abortable-error') throw error;
    try {
      await producer.abort();
      say({ aborted: name });
      return;
    } catch (fatal) {
      if (!(fatal instanceof TransactionFatalError)) throw fatal;
    }
  }
  // Whether a commit that was under way was carried out before is not for us to know.
  say({ fenced: name });
  await producer.close({ timeoutMs: 1_000 });
  for (;;) {
    await pause(50 + Math.random() * 300);
    try {
      producer = await open();
      return;
    } catch (fenced) {
      if (!(fenced instanceof TransactionFatalError)) throw fenced;
    }
  }
}

say({ done: true });
process.exit();
