// How far the windows of a claim are done, in the metadata of its commits (`closedUpTo`): after a restart the records of windows that were emitted and settled are
// settled silently instead of being counted into a second, smaller row. One string for all the stages that hold windows of the claim, made when a commit is.
import { UsageError } from '../../errors.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { isObject, readMark, writeMark } from './mark-format.ts';
import type { Mark, Marked } from './mark.ts';

const FIELD = 'closedUpTo';

/** What a broker takes (`offset.metadata.max.bytes`) where nobody changed it. */
const MOST_BYTES = 4_096;

/** Room for the numbers of one stage, without its lists. */
const STAGE_BYTES = 120;

/** Longest lists that are tried, one after the other, until all fits. */
const LIST_LENGTHS = [600, 200, 50, 10, 0];

const books = new WeakMap<Settlement, CommitMarks>();

export class CommitMarks {
  private readonly start: { readonly [stage: string]: unknown };
  private readonly others: object;
  private readonly stages = new Map<string, Marked>();
  private bytes = 0;

  private constructor(settlement: Settlement) {
    const { [FIELD]: start, ...others } = objectOf(settlement.startMetadata);
    this.start = isObject(start) ? start : {};
    this.others = others;
    settlement.describeCommits?.((offset) => this.write(offset));
  }

  /** Undefined where nothing is committed. */
  static of(settlement: Settlement | undefined): CommitMarks | undefined {
    if (settlement?.describeCommits === undefined) return undefined;
    let marks = books.get(settlement);
    if (marks === undefined) {
      marks = new CommitMarks(settlement);
      books.set(settlement, marks);
    }
    return marks;
  }

  /** From now on the stage's mark goes with the commits. The answer is the mark of the commit that the claim started from. */
  add(stage: string, marked: Marked): Mark | undefined {
    if (this.stages.has(stage)) {
      throw new UsageError(
        `two windows on one claim are named '${stage}': give each a 'name' of its own, by which its mark in the commits is found again`,
        'name',
      );
    }
    this.bytes += Buffer.byteLength(stage) + STAGE_BYTES;
    if (this.bytes > MOST_BYTES) {
      throw new UsageError(
        `the marks of ${this.stages.size + 1} windows on one claim do not fit into the metadata of a commit (${MOST_BYTES} bytes): shorten their names`,
        'name',
      );
    }
    this.stages.set(stage, marked);
    return readMark(this.start[stage]);
  }

  private write(offset: number): string {
    const marks = [...this.stages].map(([stage, marked]) => [stage, marked.markAt(offset)] as const);
    for (const most of LIST_LENGTHS) {
      // Those whose first value has not come yet are as far as they were.
      const text = JSON.stringify({ ...this.others, [FIELD]: { ...this.start, ...written(marks, most) } });
      if (Buffer.byteLength(text) <= MOST_BYTES) return text;
    }
    return JSON.stringify({ [FIELD]: written(marks, 0) });
  }
}

function written(marks: readonly (readonly [string, Mark])[], most: number): object {
  return Object.fromEntries(marks.map(([stage, mark]) => [stage, writeMark(mark, most)]));
}

/** Whoever else commits for this group may write what they like; without a mark nothing is skipped. */
function objectOf(text: string | undefined): { readonly [name: string]: unknown } {
  if (text === undefined || !text.startsWith('{')) return {};
  try {
    const parsed = JSON.parse(text) as unknown;
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
