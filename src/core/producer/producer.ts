// The producer as the rest of the library sees it.

import { UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ProducerRecord } from '../records/types.ts';
import { producerSettings, type ProducerOptions, type ProducerSettings } from './options.ts';
import type { Receipt, Sent } from './receipt.ts';

/** Sends records: idempotent, acks=all, in order per partition, bounded in bytes. */
export class Producer {
  readonly settings: ProducerSettings;

  constructor(_cluster: Cluster, options?: ProducerOptions) {
    this.settings = producerSettings(options);
  }

  send(_topic: string, _record: ProducerRecord, _receipt: Receipt): boolean {
    throw new UsageError('being built');
  }

  sendAsync(_topic: string, _record: ProducerRecord): Promise<Sent> {
    return Promise.reject(new UsageError('being built'));
  }

  hasRoom(_topic?: string): boolean {
    return true;
  }

  onReady(_callback: () => void): () => void {
    return () => undefined;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(_options?: { readonly timeoutMs?: number | undefined }): Promise<void> {
    return Promise.resolve();
  }
}
