import type { Timer } from '../../../../core/clock.ts';
import type { JoinRequest, JoinResult, MemberProtocol, SyncResult } from '../group-types.ts';

/** A member of a classic group, with the answers it waits for. */
export class ClassicMember {
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  id: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly MemberProtocol[];
  assignment: Buffer = Buffer.alloc(0);
  /** Has not been part of a generation yet. */
  isNew = true;
  session: Timer | undefined;
  #join: ((result: JoinResult) => void) | undefined;
  #sync: ((result: SyncResult) => void) | undefined;

  constructor(
    id: string,
    request: Omit<JoinRequest, 'memberId' | 'protocolType' | 'needsKnownMemberId' | 'canSkipAssignment'>,
  ) {
    this.id = id;
    this.instanceId = request.instanceId;
    this.clientId = request.clientId;
    this.clientHost = request.clientHost;
    this.sessionTimeoutMs = request.sessionTimeoutMs;
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    this.protocols = [...request.protocols];
  }

  get awaitsJoin(): boolean {
    return this.#join !== undefined;
  }

  get awaitsSync(): boolean {
    return this.#sync !== undefined;
  }

  update(request: JoinRequest): void {
    this.sessionTimeoutMs = request.sessionTimeoutMs;
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    this.protocols = [...request.protocols];
  }

  /** Offers the same protocols with the same subscriptions, in the same order. */
  matches(request: JoinRequest): boolean {
    return (
      this.protocols.length === request.protocols.length &&
      this.protocols.every((protocol, at) => {
        const other = request.protocols[at]!;
        return protocol.name === other.name && protocol.metadata.equals(other.metadata);
      })
    );
  }

  metadataOf(protocol: string): Buffer {
    return this.protocols.find((offered) => offered.name === protocol)?.metadata ?? Buffer.alloc(0);
  }

  /** The answer comes with `answerJoin`; a join that waited before is dropped, as its connection is gone. */
  waitForJoin(): Promise<JoinResult> {
    return new Promise((resolve) => {
      this.#join = resolve;
    });
  }

  waitForSync(): Promise<SyncResult> {
    return new Promise((resolve) => {
      this.#sync = resolve;
    });
  }

  answerJoin(result: JoinResult): void {
    this.#join?.(result);
    this.#join = undefined;
  }

  answerSync(result: SyncResult): void {
    this.#sync?.(result);
    this.#sync = undefined;
  }
}
