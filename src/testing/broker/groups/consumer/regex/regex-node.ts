/** Whether a character (a code point) is meant. */
export type CharTest = (code: number) => boolean;

/** What a position must be. */
export type Place = 'start' | 'end' | 'wordEdge' | 'noWordEdge' | 'lineStart' | 'lineEnd';

/** A regular expression as a tree. */
export type RegexNode =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly part: RegexNode; readonly min: number; readonly max: number };

/** The pattern is wrong; the message says what, in RE2's words. */
export class RegexSyntaxError extends Error {
  override readonly name = 'RegexSyntaxError';
}
