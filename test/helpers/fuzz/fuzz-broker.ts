// Sends damaged requests to a box and sees that it stays well: it has no error of its own, serves a bystander, and keeps within its memory.
import { offerApis } from '../../../src/testing/broker/apis/registry.ts';
import type { AnyApi } from '../../../src/core/protocol/api.ts';
import type { Transport, Wire } from '../../../src/core/network/transport.ts';
import { apiVersionsApi } from '../../../src/core/protocol/messages/18-api-versions.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { batchOf } from '../../testing/broker/requests.ts';
import { WireClient } from '../../testing/broker/wire-client.ts';
import { mutate, MUTATIONS } from './mutate.ts';
import { ValidRequests } from './valid-request.ts';

export interface FuzzOptions {
  readonly requests: number;
  readonly seed: number;
  /** In memory and virtual time, or over loopback. */
  readonly over: 'memory' | 'tcp';
  /** Called now and then with the number of requests sent. */
  readonly progress?: (sent: number, box: BrokerBox) => void;
}

export interface FuzzReport {
  readonly sent: number;
  /** Requests that the box took for requests. */
  readonly served: number;
  readonly closedByBroker: number;
  readonly apis: number;
  /** The most that the process held at a look, bytes. */
  readonly peakBytes: number;
}

const CONNECTIONS = 32;
const LOOK_EVERY = 4096;
const STEP_MS = 5;
const BYSTANDER_LIMIT_MS = 10_000;
/** Beyond what the process held before. */
const MEMORY_BOUND_BYTES = 512 * 1024 * 1024;
const LOG_BYTES = 32 * 1024 * 1024;

interface Target {
  readonly api: AnyApi;
  readonly version: number;
}

/** A connection that only writes. */
class Sender {
  isClosed = false;
  readonly #wire: Wire;

  constructor(transport: Transport, broker: string, onClosed: () => void) {
    const at = broker.lastIndexOf(':');
    this.#wire = transport.connect(
      { host: broker.slice(0, at), port: Number(broker.slice(at + 1)) },
      {
        onOpen: () => {},
        onData: () => {},
        onDrain: () => {},
        onClose: () => {
          this.isClosed = true;
          onClosed();
        },
      },
    );
  }

  write(bytes: Buffer): void {
    this.#wire.write(bytes);
  }

  destroy(): void {
    this.#wire.destroy();
  }
}

/** @throws Error when the box had an error, a bystander was not served, or too much was held. */
export async function fuzzBroker(options: FuzzOptions): Promise<FuzzReport> {
  const clock = options.over === 'memory' ? new VirtualClock() : undefined;
  const random = seededRandom(options.seed);
  const box = await createBroker({
    ...boxOptions(options.seed),
    ...(clock !== undefined && { listen: 'memory', clock }),
  });
  const run = <T>(promise: Promise<T>): Promise<T> =>
    clock === undefined ? withinLimit(promise) : clock.run(promise, BYSTANDER_LIMIT_MS);
  const words = {
    topics: box.topics(),
    topicIds: box.topics().map((name) => box.topicId(name)),
    batches: batches(),
  };
  const requests = new ValidRequests(random, words);
  const targets = everyVersion();
  const before = held();
  let closedByBroker = 0;
  let peakBytes = 0;
  let previous: Buffer = Buffer.alloc(16);
  const senders: (Sender | undefined)[] = Array.from({ length: CONNECTIONS });
  try {
    for (let sent = 0; sent < options.requests;) {
      for (let place = 0; place < CONNECTIONS; place++, sent++) {
        let sender = senders[place];
        if (sender === undefined || sender.isClosed || random() < 0.02) {
          sender?.destroy();
          const node = box.bootstrap[place % box.bootstrap.length]!;
          sender = senders[place] = new Sender(box.transport, node, () => closedByBroker++);
        }
        const { api, version } = targets[Math.floor(random() * targets.length)]!;
        const frame = requests.frame(api, version, sent & 0x7fffffff);
        const mutation = MUTATIONS[Math.floor(random() * MUTATIONS.length)]!;
        sender.write(mutate(frame, mutation, random, previous));
        previous = frame;
      }
      if (clock !== undefined) await clock.advance(STEP_MS);
      // A stranger who connects after the damage and is answered says that the box has come to it, however slow the machine is.
      else await look(box, run, options.seed);
      if (sent % LOOK_EVERY < CONNECTIONS) {
        await look(box, run, options.seed);
        peakBytes = Math.max(peakBytes, held() - before);
        if (peakBytes > MEMORY_BOUND_BYTES)
          throw new Error(`seed ${options.seed}: ${peakBytes} bytes are held after ${sent} requests`);
        options.progress?.(sent, box);
      }
    }
    for (const sender of senders) sender?.destroy();
    await look(box, run, options.seed);
    const served = box.requestCount;
    return {
      sent: options.requests,
      served,
      closedByBroker,
      apis: new Set(targets.map(({ api }) => api.key)).size,
      peakBytes,
    };
  } finally {
    await box.close();
  }
}

function boxOptions(seed: number): BrokerOptions {
  return {
    brokers: 2,
    random: seededRandom(seed + 1),
    topics: { lines: 3, other: { partitions: 2, configs: { 'cleanup.policy': 'compact' } } },
    features: { 'group.version': 1, 'transaction.version': 2 },
    maxRequestBytes: 1_000_000,
    maxPartitions: 200,
    maxLogBytes: LOG_BYTES,
    whenLogsFull: 'deleteOldest',
    requestLogSize: 100,
  };
}

function batches(): Buffer[] {
  const plain = batchOf({ values: ['a', 'b', null] });
  const idempotent = batchOf({ values: ['c'], producerId: 1000, producerEpoch: 0, baseSequence: 0 });
  const compressed = batchOf({ values: ['d'.repeat(500)], codec: 'gzip' });
  return [plain, idempotent, compressed];
}

function everyVersion(): Target[] {
  return [...offerApis().values()].flatMap(({ handler, minVersion, maxVersion }) =>
    Array.from({ length: maxVersion - minVersion + 1 }, (_, at) => ({
      api: handler.api,
      version: minVersion + at,
    })),
  );
}

/** The box is well: no error of its own, and a stranger is served on a fresh connection. */
async function look(
  box: BrokerBox,
  run: <T>(promise: Promise<T>) => Promise<T>,
  seed: number,
): Promise<void> {
  for (const node of box.bootstrap) {
    const bystander = new WireClient(box.transport, node);
    const { errorCode } = await run(bystander.call(apiVersionsApi, 0, {}));
    bystander.close();
    if (errorCode !== 0) throw new Error(`seed ${seed}: a bystander is answered error ${errorCode}`);
  }
  const [error] = box.internalErrors;
  if (error !== undefined) throw new Error(`seed ${seed}: the box had an error of its own`, { cause: error });
}

function held(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function withinLimit<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${BYSTANDER_LIMIT_MS} ms`)),
      BYSTANDER_LIMIT_MS,
    );
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
