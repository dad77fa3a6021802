/** Work that is asked for again while it is under way is done once. */
export class SingleFlight<K, V> {
  private readonly flights = new Map<K, Promise<V>>();

  run(key: K, begin: () => Promise<V>): Promise<V> {
    const known = this.flights.get(key);
    if (known !== undefined) return known;
    const flight = begin().finally(() => this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }
}
