import type { Kafka } from '../core/client.ts';

/** Groups that unsubscribed flows are leaving, in the background: the client closes its connections only when their last commits are through. */
export class Leaving {
  private readonly kafka: Kafka;
  private readonly underWay = new Set<Promise<unknown>>();
  private isWaitedFor = false;

  constructor(kafka: Kafka) {
    this.kafka = kafka;
  }

  /** `done` must not reject. */
  add(done: Promise<unknown>): void {
    this.underWay.add(done);
    void done.finally(() => this.underWay.delete(done));
    if (this.isWaitedFor) return;
    this.isWaitedFor = true;
    this.kafka.beforeClose(async () => {
      await Promise.all(this.underWay);
    });
  }
}
