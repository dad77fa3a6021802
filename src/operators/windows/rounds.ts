// Rows on their way, in the rounds in which their windows were closed. What a commit's mark says is "all windows up to here are done", so the records of a round
// are settled together, after those of the rounds before it. Nothing is lost by that: a commit cannot move past the first unsettled record anyway.
import { Fifo } from '../../flow/fifo.ts';
import type { Owner } from '../../flow/owner.ts';
import { OwnerOfMany } from '../../flow/owner-of-many.ts';
import type { Verdict } from '../../flow/settlement.ts';
import type { Position } from './mark.ts';

/** Windows that were closed together. */
export class Round {
  /** Stream time when it was closed; -Infinity for rows that were emitted early, which close nothing. */
  readonly time: number;
  readonly position: Position;
  /** Rows that are not settled. */
  unsettled: number;
  /** Rows that are, and wait for the others. */
  readonly done: RowOwner[] = [];
  /** Places of values that only their windows kept from being late. */
  readonly saved: number[] = [];

  constructor(rows: number, time: number, position: Position) {
    this.unsettled = rows;
    this.time = time;
    this.position = position;
  }
}

export class Rounds {
  private readonly waiting = new Fifo<Round>();
  private readonly onReleased: (round: Round) => void;
  private releasing = false;
  private broken = false;

  /** `onReleased` is called when all rows of a round and of those before it are settled, right before their records are. */
  constructor(onReleased: (round: Round) => void) {
    this.onReleased = onReleased;
  }

  get size(): number {
    return this.waiting.size;
  }

  open(rows: number, time: number, position: Position): Round {
    const round = new Round(rows, time, position);
    this.waiting.push(round);
    return round;
  }

  settled(row: RowOwner): void {
    if (this.broken) {
      row.giveUp();
      return;
    }
    const { round } = row;
    round.unsettled--;
    round.done.push(row);
    this.release();
  }

  /** A row was refused or given up: what comes after it is left to be done again as well, for no mark can tell it apart. */
  break(): void {
    this.broken = true;
    for (let round = this.waiting.shift(); round !== undefined; round = this.waiting.shift())
      for (const row of round.done.splice(0)) row.giveUp();
  }

  some(test: (row: RowOwner) => boolean): boolean {
    return this.waiting.some((round) => round.done.some(test));
  }

  // Settling may bring the next values, and those close the next windows.
  private release(): void {
    if (this.releasing) return;
    this.releasing = true;
    while (this.waiting.peek()?.unsettled === 0) {
      const round = this.waiting.shift()!;
      this.onReleased(round);
      for (const row of round.done.splice(0)) row.release();
    }
    this.releasing = false;
  }
}

/** What a row answers to: the records of its window, which hold their credit no longer. */
export class RowOwner extends OwnerOfMany {
  readonly round: Round;
  private readonly rounds: Rounds;

  constructor(parts: readonly Owner[], round: Round, rounds: Rounds) {
    super(parts);
    this.round = round;
    this.rounds = rounds;
  }

  shareSettled(): void {
    this.rounds.settled(this);
  }

  shareRejected(_held: boolean, cause: unknown, verdict: Verdict, rewindDelayMs: number): void {
    for (const part of this.parts) part.shareRejected(true, cause, verdict, rewindDelayMs);
    this.rounds.break();
  }

  shareGivenUp(): void {
    this.giveUp();
    this.rounds.break();
  }

  shareHeld(): void {
    // They are.
  }

  release(): void {
    for (const part of this.parts) part.shareSettled(true);
  }

  giveUp(): void {
    for (const part of this.parts) part.shareGivenUp(true);
  }
}
