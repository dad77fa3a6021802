// A process to be killed: asks a server about each record, which fails now and then, with retry topics and a dead letter topic behind it.
// Arguments as one JSON object; events as JSON lines on standard output.
import { Kafka, mapAsync, text, topology } from '../../../src/index.ts';

export interface RetrierOptions {
  readonly brokers: readonly string[];
  readonly url: string;
  readonly input: string;
  readonly output: string;
  readonly levels: readonly { readonly topic: string; readonly delayMs: number }[];
  readonly deadLetter: string;
  readonly groupId: string;
  readonly instanceId: string;
  readonly exactlyOnce: boolean;
}

const options = JSON.parse(process.argv[2]!) as RetrierOptions;
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

async function ask(value: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(options.url, { method: 'POST', body: value, signal });
  const body = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${body}`);
  return body;
}

const retrier = topology('retrier', ({ fromGroup, toTopic, retryTopics }) => {
  const later = retryTopics({ levels: options.levels, deadLetter: options.deadLetter, order: 'key' });
  return fromGroup({
    groupId: options.groupId,
    groupInstanceId: options.instanceId,
    topics: [options.input],
    key: text(),
    value: text(),
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 500,
    commitIntervalMs: 200,
    drainTimeoutMs: 5_000,
    retryTopics: later,
  }).pipe(
    mapAsync(
      async ({ key, value }, { signal }) => {
        const answer = await ask(value, signal);
        say({ answered: value });
        return { key, value: answer };
      },
      { name: 'ask', concurrency: 30, order: 'none', onError: later },
    ),
    toTopic(options.output, (record) => record, { key: text(), value: text() }),
  );
});
const running = retrier.start(new Kafka({ brokers: options.brokers }), {
  signals: true,
  restart: { minDelayMs: 100 },
  ...(options.exactlyOnce
    ? { guarantee: 'exactly-once', transactions: { timeoutMs: 5_000, transactionalId: options.instanceId } }
    : {}),
});
await running.ready;
say({ ready: true });
say({ summary: await running.done });
process.exit();
