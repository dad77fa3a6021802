/** What all connections together hold of requests that are not complete or not served yet, and how much that may be. */
export class PendingBytes {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** Counts `bytes` more, or less; false when that is too much. */
  take(bytes: number): boolean {
    this.#held += bytes;
    return bytes <= 0 || this.#held <= this.#limit;
  }
}
