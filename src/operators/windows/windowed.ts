/** A window's row. */
export interface Windowed<out K, out R> {
  readonly key: K;
  /** Milliseconds since 1970, inclusive. */
  readonly start: number;
  /** Exclusive; of a session inclusive, the time of its last value, as in Kafka Streams. */
  readonly end: number;
  readonly value: R;
  /**
   * True for the last row of a window: nothing is counted into it any more. False for an update (`emit: 'updates'`), and for a row that was emitted early
   * because there was no room for more; such rows of one window add up.
   */
  readonly final: boolean;
}
