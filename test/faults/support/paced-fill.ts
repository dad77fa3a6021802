// Numbered records at an even pace, in turn to each partition.
import type { Kafka } from '../../../src/index.ts';

const TICK_MS = 20;

export interface PacedFill {
  /** When each record was sent, by partition and offset; milliseconds since 1970. */
  readonly sentAt: readonly (readonly number[])[];
  /** Sends what is not sent yet at once, and resolves when all is acknowledged. */
  rest(): Promise<void>;
  /** Sends no more, and resolves when all that was sent is acknowledged. */
  stop(): Promise<void>;
}

/** Sends `records` records within about `withinMs`; the value is the record's number, padded. */
export function pacedFill(
  kafka: Kafka,
  topic: string,
  records: number,
  partitions: number,
  withinMs: number,
): PacedFill {
  const producer = kafka.producer();
  const startedAt = Date.now();
  let failure: unknown;
  let sent = 0;
  const sentAt = Array.from({ length: partitions }, (): number[] => []);
  const listener = {
    onAcked: () => undefined,
    onFailed: (error: unknown) => {
      failure ??= error;
    },
  };
  const sendTo = (due: number): void => {
    for (; sent < Math.min(records, due); sent++) {
      sentAt[sent % partitions]!.push(Date.now());
      producer.send(topic, { partition: sent % partitions, key: `k${sent}`, value: String(sent) }, listener);
    }
  };
  const timer = setInterval(() => sendTo(((Date.now() - startedAt) * records) / withinMs), TICK_MS);
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await producer.close();
    if (failure !== undefined) throw failure;
  };
  return {
    sentAt,
    stop,
    rest() {
      sendTo(records);
      return stop();
    },
  };
}
