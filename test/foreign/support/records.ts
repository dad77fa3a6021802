// The records that the programs in TypeScript write and expect to read.
export interface Row {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer])[];
}

export const PARTITIONS = 3;

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, at) => at));

/** `count` records over three partitions, with everything that a record may have; `name` makes them their own. */
export function rows(name: string, count = 30): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    partition: at % PARTITIONS,
    key: at % 4 === 0 ? null : Buffer.from(`${name}-key-${at}`),
    value:
      at % 7 === 3
        ? null
        : at % 7 === 5
          ? Buffer.alloc(0)
          : at % 11 === 1
            ? EVERY_BYTE
            : Buffer.from(`${name} value ${at} `.repeat(1 + (at % 5) * 20)),
    headers:
      at % 3 === 0
        ? [
            ['name', Buffer.from(name)],
            ['bytes', EVERY_BYTE],
          ]
        : [],
  }));
}

const text = (data: Buffer | null | undefined): string => data?.toString('base64') ?? '~';

/** A record in a line in which every byte counts. */
export const line = ({ partition, key, value, headers }: Row): string =>
  `${partition} ${text(key)} ${text(value)} ${headers.map(([name, one]) => `${name}=${text(one)}`).join(',')}`;

/** Lines by partition, in the order of each. */
export const lines = (list: readonly Row[]): string[] =>
  [...list].sort((a, b) => a.partition - b.partition).map(line);
