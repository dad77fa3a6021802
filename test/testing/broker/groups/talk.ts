// A conversation with a broker, written down so that two of them can be compared: what differs by chance (member ids, topic ids, ports) is replaced.
import type { AnyApi, RequestOf, ResponseOf } from '../../../../src/core/protocol/api.ts';
import { findCoordinatorApi } from '../../../../src/core/protocol/messages/10-find-coordinator.ts';
import { describeGroupsApi } from '../../../../src/core/protocol/messages/15-describe-groups.ts';
import { tcpTransport } from '../../../../src/core/network/transport.ts';
import { WireClient } from '../wire-client.ts';

const LEFT_OUT = new Set(['throttleTimeMs', 'host', 'port', 'nodeId', 'leaderEpoch', 'configs']);

/** Lists whose order is the broker's own business, and what they are sorted by. */
const SORTED: Readonly<Record<string, string>> = {
  members: 'memberId',
  groups: 'groupId',
  results: 'groupId',
  topicPartitions: 'topicId',
  topics: 'name',
  partitions: 'partitionIndex',
  coordinators: 'key',
};

export class Talk {
  readonly lines: string[] = [];
  readonly #bootstrap: string;
  readonly #names = new Map<string, string>();
  readonly #clients: WireClient[] = [];
  readonly #main: WireClient;

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap;
    this.#main = this.connect();
  }

  /** A connection of its own, for a request that may wait. */
  connect(): WireClient {
    const client = new WireClient(tcpTransport, this.#bootstrap, 'talker');
    this.#clients.push(client);
    return client;
  }

  /** Waits until the broker coordinates groups; a fresh Kafka makes its topic of offsets first. */
  async ready(groupId: string): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      await this.ask(findCoordinatorApi, 3, { key: groupId });
      const { groups } = await this.ask(describeGroupsApi, 5, { groups: [groupId] });
      if (groups[0]!.errorCode === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the broker does not coordinate groups');
  }

  /** What stands for a text that comes by chance. */
  name(text: string, name: string): void {
    if (text !== '') this.#names.set(text, `<${name}>`);
  }

  /** Asks without writing down. */
  ask<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestOf<A>,
    via = this.#main,
  ): Promise<ResponseOf<A>> {
    return via.call(api, version, body);
  }

  /** Asks and writes down what is answered. */
  async say<A extends AnyApi>(
    what: string,
    api: A,
    version: number,
    body: RequestOf<A>,
    via = this.#main,
  ): Promise<ResponseOf<A>> {
    const answer = await this.ask(api, version, body, via);
    this.note(`${what} (${api.name} v${version})`, answer);
    return answer;
  }

  /** Asks until the answer is as wanted, and writes that one down. */
  async until<A extends AnyApi>(
    what: string,
    api: A,
    version: number,
    body: RequestOf<A>,
    isWanted: (answer: ResponseOf<A>) => boolean,
  ): Promise<ResponseOf<A>> {
    for (let tries = 0; tries < 200; tries++) {
      const answer = await this.ask(api, version, body);
      if (isWanted(answer)) {
        this.note(`${what} (${api.name} v${version})`, answer);
        return answer;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${what}: never answered as wanted`);
  }

  note(what: string, answer: unknown): void {
    this.lines.push(`${what}: ${JSON.stringify(this.#plain(answer))}`);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #plain(value: unknown, key = ''): unknown {
    if (typeof value === 'string') return this.#rename(value);
    if (Buffer.isBuffer(value)) return value.toString('hex');
    if (Array.isArray(value)) {
      const plain = value.map((element) => this.#plain(element));
      const by = SORTED[key];
      return by === undefined ? plain : plain.sort((a, b) => sortKey(a, by).localeCompare(sortKey(b, by)));
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([name]) => !LEFT_OUT.has(name));
    return Object.fromEntries(entries.map(([name, inner]) => [name, this.#plain(inner, name)]));
  }

  #rename(text: string): string {
    let renamed = text;
    for (const [known, name] of this.#names) renamed = renamed.replaceAll(known, name);
    return renamed;
  }
}

function sortKey(value: unknown, by: string): string {
  if (typeof value === 'number') return String(value).padStart(9, '0');
  const found = (value as Readonly<Record<string, string | number | null>>)[by];
  return typeof found === 'number' ? String(found).padStart(9, '0') : (found ?? '');
}
