import type { Clock } from '../../../core/clock.ts';
import { RateMeter } from './rate-meter.ts';

/** Whom a quota is for: parts by type, `user`, `client-id` or `ip`; a name of null is everyone without one of their own. */
export type QuotaEntity = readonly QuotaPart[];

export interface QuotaPart {
  readonly entityType: string;
  readonly entityName: string | null;
}

export interface QuotaEntry {
  readonly entity: QuotaEntity;
  readonly values: ReadonlyMap<string, number>;
}

/** The quotas that slow clients down here, by Kafka's names; the others are kept and shown. */
export type ByteRate = 'producer_byte_rate' | 'consumer_byte_rate';

/** Kafka has no bound; a hostile client must not be able to fill the memory with them. */
const MAX_ENTRIES = 10_000;
const MAX_METERS = 10_000;

/** The quotas of clients, and how much each has used of them. */
export class ClientQuotas {
  readonly #clock: Clock;
  readonly #entries = new Map<string, QuotaEntry>();
  readonly #meters = new Map<string, RateMeter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  all(): QuotaEntry[] {
    return [...this.#entries.values()];
  }

  of(entity: QuotaEntity): ReadonlyMap<string, number> {
    return this.#entries.get(keyOf(entity))?.values ?? new Map<string, number>();
  }

  /** False when there are as many as the memory is to hold. */
  put(entity: QuotaEntity, values: ReadonlyMap<string, number>): boolean {
    const key = keyOf(entity);
    if (values.size === 0) this.#entries.delete(key);
    else if (!this.#entries.has(key) && this.#entries.size >= MAX_ENTRIES) return false;
    else this.#entries.set(key, { entity, values });
    return true;
  }

  /** Counts `bytes` of a client against its quota; returns for how many milliseconds it is to be quiet. */
  take(quota: ByteRate, user: string, clientId: string, bytes: number): number {
    for (const { entity, meter } of candidates(user, clientId)) {
      const bytesPerSecond = this.#entries.get(entity)?.values.get(quota);
      if (bytesPerSecond !== undefined) return this.#meter(`${quota} ${meter}`).take(bytes, bytesPerSecond);
    }
    return 0;
  }

  #meter(key: string): RateMeter {
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      const [oldest] = this.#meters.keys();
      if (this.#meters.size >= MAX_METERS && oldest !== undefined) this.#meters.delete(oldest);
      meter = new RateMeter(this.#clock);
      this.#meters.set(key, meter);
    }
    return meter;
  }
}

function keyOf(entity: QuotaEntity): string {
  const parts = entity.map(({ entityType, entityName }) => [entityType, entityName]);
  return JSON.stringify(parts.sort(([a], [b]) => (a! < b! ? -1 : 1)));
}

/** Where Kafka looks for a client's quota, the most particular first; and who shares it. */
function candidates(
  user: string,
  clientId: string,
): readonly { readonly entity: string; readonly meter: string }[] {
  const of = (userName: string | null | undefined, clientName?: string | null) => {
    const parts: QuotaPart[] = [];
    if (userName !== undefined) parts.push({ entityType: 'user', entityName: userName });
    if (clientName !== undefined) parts.push({ entityType: 'client-id', entityName: clientName });
    const meter = [userName === undefined ? null : user, clientName === undefined ? null : clientId];
    return { entity: keyOf(parts), meter: JSON.stringify(meter) };
  };
  return [
    of(user, clientId),
    of(user, null),
    of(user),
    of(null, clientId),
    of(null, null),
    of(null),
    of(undefined, clientId),
    of(undefined, null),
  ];
}
