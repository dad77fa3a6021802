// What the bench uses of the peers that are not in the root package.
declare module '@platformatic/kafka' {
  import type { Readable } from 'node:stream';

  interface Message {
    readonly topic: string;
    readonly value: Buffer;
  }

  export class Producer {
    constructor(options: { clientId: string; bootstrapBrokers: string[]; acks?: number });
    send(options: { messages: Message[]; acks?: number; compression?: string }): Promise<unknown>;
    close(): Promise<void>;
  }

  export interface MessagesStream extends Readable {
    close(): Promise<void>;
  }

  export class Consumer {
    constructor(options: {
      clientId: string;
      groupId: string;
      bootstrapBrokers: string[];
      autocommit?: boolean | number;
      maxWaitTime?: number;
      isolationLevel?: number;
      highWaterMark?: number;
    });
    consume(options: {
      topics: string[];
      mode: 'committed';
      fallbackMode: 'earliest';
    }): Promise<MessagesStream>;
    on(event: 'consumer:group:join', listener: () => void): this;
    close(): Promise<void>;
  }
}

declare module 'node-rdkafka' {
  import type { EventEmitter } from 'node:events';

  interface Message {
    readonly value: Buffer;
  }

  interface Client extends EventEmitter {
    connect(): this;
    disconnect(callback: (error: unknown) => void): this;
  }

  interface Producer extends Client {
    setPollInterval(ms: number): this;
    poll(): this;
    produce(
      topic: string,
      partition: null,
      value: Buffer,
      key: null,
      timestamp: null,
      opaque: number,
    ): unknown;
  }

  interface KafkaConsumer extends Client {
    subscribe(topics: string[]): this;
    consume(count: number, callback: (error: Error | null, messages: Message[]) => void): void;
    commitSync(offsets: null): this;
    setDefaultConsumeTimeout(ms: number): void;
  }

  const rdkafka: {
    readonly Producer: new (config: object, topicConfig: object) => Producer;
    readonly KafkaConsumer: new (config: object, topicConfig: object) => KafkaConsumer;
  };
  export default rdkafka;
}
