// Messages on their way by a number each, which is the tag of their record: no object and no closure for each of them.

const INITIAL = 64;

/** A ring that grows while a message is on its way for longer than the ring is. Numbers begin at 1. */
export class PendingMessages<T> {
  private messages: (T | undefined)[] = new Array<undefined>(INITIAL).fill(undefined);
  private numbers: number[] = new Array<number>(INITIAL).fill(0);
  private mask = INITIAL - 1;
  private next = 1;

  /** Keeps a message; returns its number. */
  add(message: T): number {
    const number = this.next;
    this.next += 1;
    while (this.numbers[number & this.mask] !== 0) this.grow();
    const at = number & this.mask;
    this.messages[at] = message;
    this.numbers[at] = number;
    return number;
  }

  /** Gives it back and forgets it. */
  take(number: number): T {
    const at = number & this.mask;
    const message = this.messages[at]!;
    this.messages[at] = undefined;
    this.numbers[at] = 0;
    return message;
  }

  private grow(): void {
    const { messages, numbers } = this;
    const capacity = messages.length * 2;
    this.messages = new Array<undefined>(capacity).fill(undefined);
    this.numbers = new Array<number>(capacity).fill(0);
    this.mask = capacity - 1;
    for (const [from, number] of numbers.entries()) {
      if (number === 0) continue;
      this.messages[number & this.mask] = messages[from];
      this.numbers[number & this.mask] = number;
    }
  }
}
