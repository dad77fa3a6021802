// What a member tells the coordinator that it wants: names, or a pattern that the broker matches.

import { OWN_ID_SINCE } from './heartbeat-requests.ts';
import { brokerPattern } from './topic-pattern.ts';

/** Names are always known here, for the day the broker does not understand the pattern. */
export class SubscribedTopics {
  private readonly lookUp: (signal: AbortSignal) => Promise<readonly string[]>;
  private pattern: string | undefined;
  private found: readonly string[] = [];
  /** Of the requests. */
  private version = OWN_ID_SINCE;

  constructor(pattern: RegExp | undefined, lookUp: (signal: AbortSignal) => Promise<readonly string[]>) {
    this.pattern = pattern === undefined ? undefined : brokerPattern(pattern);
    this.lookUp = lookUp;
  }

  /** The broker finds the topics. */
  get isPattern(): boolean {
    return this.pattern !== undefined && this.version >= OWN_ID_SINCE;
  }

  get topicNames(): readonly string[] {
    return this.isPattern ? [] : this.found;
  }

  get topicRegex(): string | null {
    if (this.version < OWN_ID_SINCE) return null;
    return this.pattern ?? '';
  }

  /** Looks for the topics here; resolves with whether the coordinator is to be told. */
  async resolve(signal: AbortSignal): Promise<boolean> {
    const before = this.found.join();
    this.found = await this.lookUp(signal);
    return !this.isPattern && this.found.join() !== before;
  }

  /** Version 0 has no field for patterns. */
  speak(version: number): void {
    this.version = version;
  }

  giveUpPattern(): void {
    this.pattern = undefined;
  }
}
