import type { StreamClient } from '../core/stream-client.ts';

/** Groups that unsubscribed flows are leaving, in the background: the client closes its connections only when their last commits are through. */
export class Leaving {
  private readonly client: StreamClient;
  private readonly underWay = new Set<Promise<unknown>>();
  private isWaitedFor = false;

  constructor(client: StreamClient) {
    this.client = client;
  }

  /** `done` must not reject. */
  add(done: Promise<unknown>): void {
    this.underWay.add(done);
    void done.finally(() => this.underWay.delete(done));
    if (this.isWaitedFor) return;
    this.isWaitedFor = true;
    this.client.beforeClose(async () => {
      await Promise.all(this.underWay);
    });
  }
}
