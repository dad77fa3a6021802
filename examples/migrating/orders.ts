// What the programs before and after have in common.

export interface Order {
  readonly id: string;
  readonly item: string;
  readonly quantity: number;
}

export interface Priced {
  readonly id: string;
  readonly total: number;
}

/** The service that knows prices. */
export type PriceOf = (item: string) => Promise<number>;

export interface Names {
  readonly group: string;
  readonly orders: string;
  readonly priced: string;
  readonly dead: string;
}
