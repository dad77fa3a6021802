// The canonical names of hosts, for clusters behind one name for many brokers.

import { lookup, lookupService } from 'node:dns/promises';

/** The two questions of `clientDnsLookup: 'resolve_canonical_bootstrap_servers_only'`. */
export interface Dns {
  /** Every address of a host. */
  addresses(host: string): Promise<readonly string[]>;
  /** The name of an address. */
  canonicalName(address: string, port: number): Promise<string>;
}

/** As the operating system answers them. */
export const systemDns: Dns = {
  addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  canonicalName: async (address, port) => (await lookupService(address, port)).hostname,
};
