/** One request as the cluster saw it, in the order of arrival at the handlers. */
export interface LoggedRequest {
  /** By the cluster's clock. */
  readonly atMs: number;
  readonly node: number;
  readonly connection: number;
  readonly clientId: string;
  readonly api: string;
  readonly version: number;
  readonly correlationId: number;
  readonly bytes: number;
  /** The act of the fault rule that was applied to it. */
  readonly fault?: string;
}

/** The last requests, in bounded memory. */
export class RequestLog {
  readonly #capacity: number;
  #entries: LoggedRequest[] = [];
  #total = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Requests since the start, forgotten ones included. */
  get total(): number {
    return this.#total;
  }

  add(entry: LoggedRequest): void {
    this.#total++;
    if (this.#capacity <= 0) return;
    this.#entries.push(entry);
    // Dropped in halves: a shift per request would cost more than the request.
    if (this.#entries.length >= 2 * this.#capacity) this.#entries = this.#entries.slice(-this.#capacity);
  }

  entries(): LoggedRequest[] {
    return this.#entries.slice(-Math.max(1, this.#capacity));
  }
}
