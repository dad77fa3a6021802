/** A value with its event time, in milliseconds. */
export interface Hit {
  readonly name: string;
  readonly at: number;
}

/** Two at a time belong together, but for the last. */
export const HITS: readonly Hit[] = [
  { name: 'a', at: 10 },
  { name: 'b', at: 20 },
  { name: 'c', at: 500 },
  { name: 'd', at: 510 },
  { name: 'e', at: 1_000 },
];
