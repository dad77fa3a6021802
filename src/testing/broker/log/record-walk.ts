// Steps over the records in a batch's payload without making anything of them. What it reads may be anybody's bytes.

/** The records of an uncompressed payload one by one; it ends early where they do not hold together. */
export class RecordWalk {
  /** Where the record begins, with its length, and where it ends. */
  start = 0;
  end = 0;
  offsetDelta = 0;
  timestampDelta = 0;
  /** Where the key's bytes begin, and how many they are; -1 for none. */
  keyStart = 0;
  keyLength = -1;
  /** -1 for none: a tombstone. */
  valueLength = -1;
  readonly #data: Buffer;
  #left: number;
  #at = 0;

  constructor(payload: Buffer, count: number) {
    this.#data = payload;
    this.#left = count;
  }

  /** Moves to the next record; false after the last, and where the bytes are no record. */
  next(): boolean {
    if (this.#left <= 0 || this.end >= this.#data.length) return false;
    this.#left--;
    this.start = this.end;
    this.#at = this.start;
    const length = this.#varint();
    const end = this.#at + length;
    if (!(length > 0) || end > this.#data.length) return this.#fail();
    this.#at++;
    this.timestampDelta = this.#varint();
    this.offsetDelta = this.#varint();
    this.keyLength = this.#varint();
    this.keyStart = this.#at;
    this.#at += Math.max(0, this.keyLength);
    this.valueLength = this.#varint();
    if (Number.isNaN(this.valueLength) || this.#at > end) return this.#fail();
    this.end = end;
    return true;
  }

  #fail(): boolean {
    this.#left = 0;
    return false;
  }

  /** A zigzag varint of up to ten bytes as the nearest number, NaN at the end of the bytes. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let size = 0; size < 10; size++) {
      if (this.#at >= this.#data.length) return NaN;
      const byte = this.#data[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    return NaN;
  }
}
