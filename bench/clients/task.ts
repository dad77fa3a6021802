// What the bench tells a client, as JSON in its first argument, and what it is answered, as JSON on the last line of the output.

/** What a client can be asked to do. */
export type Work =
  | 'produce'
  /** Reads in a group, with commits. */
  | 'consume'
  | 'consume-text'
  | 'consume-json'
  /** Reads without a group. */
  | 'read'
  /** Consumes, maps, and produces to another topic; commits what is written. */
  | 'pipe'
  /** One record at a time, each send awaited. */
  | 'awaited'
  /** Produces at a steady rate and consumes at the same time. */
  | 'steady'
  /** Consumes with a stage of 1 ms per record, in order per key. */
  | 'keyed'
  /** Lines of a file, each of them a record. */
  | 'files';

/** What the values are: random printable bytes, JSON documents of the same length, or events as JSON, which a codec can make something of. */
export type ValueKind = 'random' | 'json' | 'events';

export type Compression = 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Some records of one topic. */
export interface Job {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  /** For what consumes: a group that is used once. */
  readonly groupId: string;
  /** For `pipe`: where to. */
  readonly to: string;
  /** For `files`: what to read, one after the other. */
  readonly files: readonly string[];
}

export interface Task {
  /** Which of the clients, for a program that holds several. */
  readonly client: string;
  readonly brokers: readonly string[];
  readonly work: Work;
  /** Left out where the client's own default is meant. */
  readonly lingerMs?: number;
  readonly valueKind: ValueKind;
  readonly valueBytes: number;
  /** How what is produced is compressed; default not at all. */
  readonly compression?: Compression;
  /** For `steady`. */
  readonly recordsPerSecond: number;
  /** Done before the clock starts, in the same process: as many of these as `warmUpMs` take, the last one to its end. */
  readonly warmUps: readonly Job[];
  readonly warmUpMs: number;
  readonly measured: Job;
}

export interface LatencyMs {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Outcome {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** The weights of all values of the measured job; null for a tool that does not add up. */
  readonly sum: number | null;
  readonly latencyMs?: LatencyMs;
  /** Node's clients only: above what an idle loop shows. */
  readonly loopDelayP99Ms?: number;
  /** Node's clients only: collecting garbage, as a share of the time. */
  readonly gcShare?: number;
}
