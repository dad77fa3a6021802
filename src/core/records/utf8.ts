interface Utf8Sliced {
  utf8Slice?(start: number, end: number): string;
}

const slicing = typeof (Buffer.prototype as Utf8Sliced).utf8Slice === 'function';

/**
 * The text of `data` from `start` to before `end`, where these are known to lie inside of it. As `toString('utf8', ...)`, which calls the same native
 * method after a look at its arguments that costs half as much again for a short text.
 */
export function utf8(data: Buffer, start: number, end: number): string {
  return slicing ? (data as Utf8Sliced).utf8Slice!(start, end) : data.toString('utf8', start, end);
}
