import type { KafkaError } from '../../../src/errors.ts';
import type { Receipt } from '../../../src/core/producer/receipt.ts';

/** What became of one record. */
export type Fate =
  | {
      readonly kind: 'acked';
      readonly partition: number;
      readonly offset: number;
      readonly timestamp: number;
    }
  | { readonly kind: 'failed'; readonly error: KafkaError }
  | { readonly kind: 'withdrawn' };

/** Keeps the fates of records in the order in which they came. */
export class Recorder {
  readonly fates = new Map<string, Fate>();
  readonly order: string[] = [];
  readonly withdrawn = new Set<string>();
  twice = 0;

  receipt(id: string): Receipt {
    return {
      onAcked: (partition, offset, timestamp) =>
        this.note(id, { kind: 'acked', partition, offset, timestamp }),
      onFailed: (error) => this.note(id, { kind: 'failed', error }),
      isWithdrawn: () => this.withdrawn.has(id),
      onWithdrawn: () => this.note(id, { kind: 'withdrawn' }),
    };
  }

  ids(kind: Fate['kind']): string[] {
    return this.order.filter((id) => this.fates.get(id)?.kind === kind);
  }

  error(id: string): KafkaError {
    const fate = this.fates.get(id);
    if (fate?.kind !== 'failed') throw new Error(`${id} did not fail: ${JSON.stringify(fate)}`);
    return fate.error;
  }

  /** 'acked', 'withdrawn', Kafka's name of the error, or 'nothing yet'. */
  outcome(id: string): string {
    const fate = this.fates.get(id);
    if (fate === undefined) return 'nothing yet';
    if (fate.kind !== 'failed') return fate.kind;
    return 'errorName' in fate.error ? String(fate.error.errorName) : fate.error.code;
  }

  private note(id: string, fate: Fate): void {
    if (this.fates.has(id)) this.twice += 1;
    this.fates.set(id, fate);
    this.order.push(id);
  }
}
