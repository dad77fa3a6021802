import { contentOf, type Key } from '../flow/key.ts';

/** Keys with the time they were added at, bounded in number and by event time. Bytes are compared by content. */
export class RecentKeys {
  private readonly maxKeys: number;
  private readonly withinMs: number;
  // By when they were added, which is the order in which a Map goes through its keys.
  private readonly plain = new Map<Key, number>();
  private readonly byContent = new Map<string, number>();
  private newest = -Infinity;

  constructor(maxKeys: number, withinMs: number) {
    this.maxKeys = maxKeys;
    this.withinMs = withinMs;
  }

  /** True when the key is not known, or when it is known from a time that is more than `withinMs` away; then it is known from now on. */
  add(key: Key, time: number): boolean {
    return key instanceof Uint8Array
      ? this.addTo(this.byContent, contentOf(key), time)
      : this.addTo(this.plain, key, time);
  }

  private addTo<K>(times: Map<K, number>, key: K, time: number): boolean {
    const known = times.get(key);
    if (known !== undefined && Math.abs(time - known) <= this.withinMs) return false;
    // An older time does not replace a newer one: what passes late says nothing of what comes next.
    if (known === undefined || time > known) {
      times.delete(key);
      times.set(key, time);
    }
    if (time > this.newest) this.newest = time;
    this.forgetOld(times);
    return true;
  }

  // Keys come mostly in the order of their times, so the first ones are the ones to look at.
  private forgetOld<K>(times: Map<K, number>): void {
    for (const [key, time] of times) {
      if (times.size <= this.maxKeys && this.newest - time <= this.withinMs) break;
      times.delete(key);
    }
  }
}
