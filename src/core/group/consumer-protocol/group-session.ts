// The session of a member as its own clock sees it, as long as the group's configuration says.

import type { Cluster } from '../../cluster/cluster.ts';
import { Session } from '../session.ts';
import { groupSessionTimeoutMs } from './group-session-timeout.ts';

/** Kafka's own, and the least that brokers allow unless they are told otherwise. */
const DEFAULT_SESSION_MS = 45_000;
const ASK_EVERY_MS = 300_000;

/** How long it lasts is asked at every join and from time to time: a shorter one means an earlier end, a longer one patience. */
export class GroupSession {
  /** As far as is known. */
  timeoutMs = DEFAULT_SESSION_MS;
  private readonly cluster: Cluster;
  private readonly groupId: string;
  private readonly onExpired: (timeoutMs: number) => void;
  private session: Session;
  private isOpen = false;
  /** When the last request was sent that was answered. */
  private renewedMs = -Infinity;
  private askedMs = -Infinity;

  constructor(cluster: Cluster, groupId: string, onExpired: (timeoutMs: number) => void) {
    this.cluster = cluster;
    this.groupId = groupId;
    this.onExpired = onExpired;
    this.session = this.make();
  }

  /** It begins with a request sent then. */
  open(sentMs: number): void {
    this.close();
    this.isOpen = true;
    this.askedMs = -Infinity;
    this.begin(sentMs);
  }

  /** A request sent then was answered by that node. */
  renew(sentMs: number, nodeId: number): void {
    this.renewedMs = sentMs;
    this.session.renew(sentMs);
    if (sentMs - this.askedMs >= ASK_EVERY_MS) void this.learn(nodeId);
  }

  /** Reads the clock and calls the expiry out if it is due; returns whether it was. */
  check(): boolean {
    return this.session.check();
  }

  close(): void {
    this.isOpen = false;
    this.session.unwatch();
  }

  private begin(sentMs: number): void {
    this.renewedMs = sentMs;
    this.session = this.make();
    this.session.restart(sentMs);
    this.session.watch();
  }

  private make(): Session {
    const { timeoutMs } = this;
    return new Session(this.cluster.clock, timeoutMs, () => this.onExpired(timeoutMs));
  }

  private async learn(nodeId: number): Promise<void> {
    this.askedMs = this.cluster.clock.now();
    const timeoutMs = await groupSessionTimeoutMs(this.cluster, nodeId, this.groupId);
    if (timeoutMs === undefined || timeoutMs === this.timeoutMs) return;
    this.timeoutMs = timeoutMs;
    if (!this.isOpen) return;
    this.session.unwatch();
    this.begin(this.renewedMs);
  }
}
