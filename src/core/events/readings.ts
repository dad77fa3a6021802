// Figures that are looked up when somebody measures, and cost nothing while nobody does: what has them says where it is, and no more.

/** How far the reading of one partition is. */
export interface PartitionReading {
  readonly clientId: string;
  readonly topic: string;
  readonly partition: number;
  /** One past the last record handed over. */
  readonly position: number;
  /** The end of what can be read; -1 before the first answer. */
  readonly endOfLog: number;
  readonly lag: number;
  /** Records handed over and neither settled nor held. */
  readonly inFlightRecords: number;
  readonly inFlightBytes: number;
  /** Bytes fetched and not handed over. */
  readonly bufferedBytes: number;
}

/** The memory of one producer. */
export interface ProducerReading {
  readonly clientId: string;
  readonly bufferBytes: number;
  readonly usedBytes: number;
}

/** What one member of a group has. */
export interface MemberReading {
  readonly clientId: string;
  readonly groupId: string;
  readonly claims: number;
}

/** Takes what is read. */
export interface ReadingSink {
  partition(reading: PartitionReading): void;
  producer(reading: ProducerReading): void;
  member(reading: MemberReading): void;
}

/** Something at work that has figures. */
export interface ReadingSource {
  read(sink: ReadingSink): void;
}

const MIN_SWEEP = 64;
// Weakly: a producer that was never closed is forgotten all the same.
const sources = new Set<WeakRef<ReadingSource>>();
let sweepAt = MIN_SWEEP;

/** From now on it is read; the function returned ends that. */
export function addReadingSource(source: ReadingSource): () => void {
  const entry = new WeakRef(source);
  sources.add(entry);
  if (sources.size > sweepAt) {
    for (const one of sources) if (one.deref() === undefined) sources.delete(one);
    sweepAt = Math.max(MIN_SWEEP, 2 * sources.size);
  }
  return () => {
    sources.delete(entry);
  };
}

/** Reads all there is. */
export function readAll(sink: ReadingSink): void {
  for (const source of sources) source.deref()?.read(sink);
}
