// One name for many brokers: each of its addresses by its own name (Kafka's `resolve_canonical_bootstrap_servers_only`).

import type { Dns } from '../network/dns.ts';
import type { BrokerAddress } from '../network/transport.ts';
import type { ExpandSeed } from './seeds.ts';

/** Asks for every address of a seed, and for the name of each; what has no name stays an address, what is not found stays as it is. */
export function canonicalSeeds(dns: Dns): ExpandSeed {
  const nameOf = async (address: string, port: number): Promise<BrokerAddress> => {
    try {
      return { host: await dns.canonicalName(address, port), port };
    } catch {
      return { host: address, port };
    }
  };
  return async (seed) => {
    try {
      const addresses = await dns.addresses(seed.host);
      return addresses.length === 0
        ? [seed]
        : await Promise.all(addresses.map((address) => nameOf(address, seed.port)));
    } catch {
      return [seed];
    }
  };
}
