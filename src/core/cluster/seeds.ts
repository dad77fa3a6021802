// The addresses that the program named, and which of them to try first.

import type { Random } from '../clock.ts';
import type { BrokerAddress } from '../network/transport.ts';
import { shuffled } from './shuffled.ts';

/** Makes several addresses of one that stands for many brokers. */
export type ExpandSeed = (seed: BrokerAddress) => Promise<readonly BrokerAddress[]>;

/** The seeds in random order. One that failed is set aside: tried after the others, until there are no others left. */
export class Seeds {
  private readonly named: readonly BrokerAddress[];
  private readonly random: Random;
  private readonly expand: ExpandSeed | undefined;
  private expanded: readonly BrokerAddress[] | undefined;
  private readonly aside = new Set<string>();

  constructor(named: readonly BrokerAddress[], random: Random, expand?: ExpandSeed) {
    this.named = named;
    this.random = random;
    this.expand = expand;
  }

  get isEmpty(): boolean {
    return this.named.length === 0;
  }

  /** Addresses behind names are looked up once, and again when none of them was any good. */
  async all(): Promise<readonly BrokerAddress[]> {
    if (this.expand === undefined) return this.named;
    this.expanded ??= (await Promise.all(this.named.map(this.expand))).flat();
    return this.expanded;
  }

  /** In the order to try them. */
  async inOrder(): Promise<BrokerAddress[]> {
    const inOrder = shuffled(await this.all(), this.random);
    return inOrder.sort((a, b) => Number(this.isAside(a)) - Number(this.isAside(b)));
  }

  isAside(seed: BrokerAddress): boolean {
    return this.aside.has(keyOf(seed));
  }

  failed(seed: BrokerAddress): void {
    this.aside.add(keyOf(seed));
    const count = this.expanded?.length ?? this.named.length;
    if (this.aside.size < count) return;
    this.aside.clear();
    this.expanded = undefined;
  }

  worked(seed: BrokerAddress): void {
    this.aside.delete(keyOf(seed));
  }
}

function keyOf({ host, port }: BrokerAddress): string {
  return `${host}:${port}`;
}
