import { ERRORS } from '../../../../core/protocol/error-codes.ts';
import { JavaHashMap, stringHash } from '../assignors/java-hash-map.ts';
import type { ClassicMember } from './classic-member.ts';
import type { MemberProtocol } from '../group-types.ts';

/** The members of a classic group, its leader, and the vote on the protocol. No time and no state machine here. */
export class MemberSet {
  /** '' while there is none. */
  leaderId = '';
  /** Null in a group that never had members. */
  protocolType: string | null = null;
  readonly #members = new Map<string, ClassicMember>();
  readonly #static = new Map<string, string>();

  get size(): number {
    return this.#members.size;
  }

  all(): ClassicMember[] {
    return [...this.#members.values()];
  }

  get(memberId: string): ClassicMember | undefined {
    return this.#members.get(memberId);
  }

  byInstance(instanceId: string): ClassicMember | undefined {
    return this.#members.get(this.#static.get(instanceId) ?? '');
  }

  add(member: ClassicMember): void {
    this.#members.set(member.id, member);
    if (member.instanceId !== null) this.#static.set(member.instanceId, member.id);
    if (this.leaderId === '') this.leaderId = member.id;
  }

  remove(member: ClassicMember): void {
    this.#members.delete(member.id);
    if (member.instanceId !== null) this.#static.delete(member.instanceId);
    if (this.leaderId === member.id) this.leaderId = this.all()[0]?.id ?? '';
  }

  /** A static member came back: the same member under a new id. */
  rename(member: ClassicMember, id: string): void {
    this.#members.delete(member.id);
    if (this.leaderId === member.id) this.leaderId = id;
    member.id = id;
    this.add(member);
  }

  /** 0 when this member may speak; FENCED_INSTANCE_ID when another instance of a static member took its place. */
  check(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const current = this.#static.get(instanceId);
      if (current === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
      return current === memberId ? ERRORS.NONE : ERRORS.FENCED_INSTANCE_ID;
    }
    return this.#members.has(memberId) ? ERRORS.NONE : ERRORS.UNKNOWN_MEMBER_ID;
  }

  /** Whether a newcomer with these protocols could work with everyone here. */
  accepts(protocolType: string, protocols: readonly MemberProtocol[], isEmptyGroup: boolean): boolean {
    if (isEmptyGroup) return protocolType !== '' && protocols.length > 0;
    if (this.size === 0) return protocolType === this.protocolType && protocols.length > 0;
    if (protocolType !== this.protocolType) return false;
    const common = this.#commonProtocols();
    return protocols.some((protocol) => common.has(protocol.name));
  }

  /** The protocol that most members prefer among those all of them offer; Kafka's choice where several are preferred alike. */
  elect(): string {
    const common = this.#commonProtocols();
    const votes = new JavaHashMap<string, number>(stringHash);
    for (const member of this.#members.values()) {
      const choice = member.protocols.find((protocol) => common.has(protocol.name))?.name ?? '';
      votes.set(choice, (votes.get(choice) ?? 0) + 1);
    }
    let elected = '';
    for (const name of votes.keys()) if (votes.get(name)! > (votes.get(elected) ?? 0)) elected = name;
    return elected;
  }

  /** Keeps the leader, or takes the first member that has rejoined; false when nobody has. */
  electLeader(): boolean {
    if (this.get(this.leaderId)?.awaitsJoin === true) return true;
    const successor = this.all().find((member) => member.awaitsJoin);
    if (successor === undefined) return false;
    this.leaderId = successor.id;
    return true;
  }

  countAwaitingJoin(): number {
    return this.all().filter((member) => member.awaitsJoin).length;
  }

  maxRebalanceTimeoutMs(): number {
    return this.all().reduce((longest, member) => Math.max(longest, member.rebalanceTimeoutMs), 0);
  }

  #commonProtocols(): Set<string> {
    const [first, ...others] = this.all();
    const common = new Set(first?.protocols.map((protocol) => protocol.name));
    for (const member of others) {
      const offered = new Set(member.protocols.map((protocol) => protocol.name));
      for (const name of common) if (!offered.has(name)) common.delete(name);
    }
    return common;
  }
}
