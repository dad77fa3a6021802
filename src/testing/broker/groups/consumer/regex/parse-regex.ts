import { parseClass, parseEscapedClass, perlClass } from './char-class.ts';
import { parseEscapedChar } from './escaped-char.ts';
import { RegexSyntaxError } from './regex-node.ts';
import type { CharTest, RegexNode } from './regex-node.ts';

/** How patterns are read, changed by `(?i)` and its like. */
interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotMatchesNewline: boolean;
}

const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;
const NEWLINE = 10;
const NO_FLAGS: Flags = { ignoreCase: false, multiline: false, dotMatchesNewline: false };

/** Reads a pattern in the syntax of RE2. @throws RegexSyntaxError */
export function parseRegex(pattern: string): RegexNode {
  const parser = new Parser(pattern);
  const node = parser.choice(NO_FLAGS, 0);
  // RE2 for Java has no better words for a parenthesis that closes nothing.
  if (!parser.isDone) throw new RegexSyntaxError('regexp/syntax: internal error');
  return node;
}

/** The text of a pattern, and how far it was read. */
class Parser {
  readonly #text: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#text = Array.from(pattern);
  }

  get isDone(): boolean {
    return this.#at >= this.#text.length;
  }

  choice(flags: Flags, depth: number): RegexNode {
    if (depth > MAX_DEPTH) throw new RegexSyntaxError('expression nests too deeply');
    const parts: RegexNode[] = [];
    let current = flags;
    let sequence: RegexNode[] = [];
    while (!this.isDone && this.#peek() !== ')') {
      if (this.#take('|')) {
        parts.push({ kind: 'sequence', parts: sequence });
        sequence = [];
        continue;
      }
      if (this.#peek() === '(') {
        const group = this.#group(current, depth);
        if ('kind' in group) sequence.push(this.#repeated(group));
        else current = group;
        continue;
      }
      if (this.#isNext('\\Q')) {
        sequence.push(...this.#quoted(current));
        continue;
      }
      sequence.push(this.#repeated(this.#atom(current)));
    }
    parts.push({ kind: 'sequence', parts: sequence });
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  /** A group, or the flags that hold from here on. */
  #group(flags: Flags, depth: number): RegexNode | Flags {
    this.#at++;
    let inner = flags;
    if (this.#take('?')) {
      if (this.#isNext('P<') || this.#isNext('<')) this.#name();
      else {
        inner = this.#flags(flags);
        if (this.#take(')')) return inner;
        if (!this.#take(':')) throw new RegexSyntaxError('invalid or unsupported Perl syntax');
      }
    }
    const node = this.choice(inner, depth + 1);
    if (!this.#take(')')) throw new RegexSyntaxError('missing closing )');
    return node;
  }

  #name(): void {
    const end = this.#text.indexOf('>', this.#at);
    const name = this.#text.slice(this.#text.indexOf('<', this.#at) + 1, Math.max(end, 0)).join('');
    if (end < 0 || !/^\w+$/.test(name)) throw new RegexSyntaxError('invalid named capture');
    this.#at = end + 1;
  }

  #flags(flags: Flags): Flags {
    const changed = { ...flags };
    let value = true;
    for (;;) {
      const flag = this.#peek();
      if (flag === 'i') changed.ignoreCase = value;
      else if (flag === 'm') changed.multiline = value;
      else if (flag === 's') changed.dotMatchesNewline = value;
      else if (flag === '-' && value) value = false;
      else if (flag !== 'U') return changed;
      this.#at++;
    }
  }

  #quoted(flags: Flags): RegexNode[] {
    this.#at += 2;
    const nodes: RegexNode[] = [];
    while (!this.isDone && !this.#isNext('\\E')) nodes.push(literal(this.#next().codePointAt(0)!, flags));
    this.#at += 2;
    return nodes;
  }

  #atom(flags: Flags): RegexNode {
    const char = this.#next();
    switch (char) {
      case '.':
        return charNode((code) => flags.dotMatchesNewline || code !== NEWLINE);
      case '^':
        return { kind: 'place', place: flags.multiline ? 'lineStart' : 'start' };
      case '$':
        return { kind: 'place', place: flags.multiline ? 'lineEnd' : 'end' };
      case '*':
      case '+':
      case '?':
        throw new RegexSyntaxError('missing argument to repetition operator');
      case '[': {
        const [test, end] = parseClass(this.#text, this.#at, flags.ignoreCase);
        this.#at = end;
        return charNode(test);
      }
      case '\\':
        return this.#escape(flags);
      default:
        return literal(char.codePointAt(0)!, flags);
    }
  }

  #escape(flags: Flags): RegexNode {
    if (this.isDone) throw new RegexSyntaxError('trailing backslash at end of expression');
    const char = this.#peek()!;
    if (char === 'A' || char === 'z' || char === 'b' || char === 'B') {
      this.#at++;
      const place = ({ A: 'start', z: 'end', b: 'wordEdge', B: 'noWordEdge' } as const)[char];
      return { kind: 'place', place };
    }
    const perl = perlClass(char);
    if (perl !== undefined) {
      this.#at++;
      return charNode(perl);
    }
    if (char === 'p' || char === 'P') {
      const [test, end] = parseEscapedClass(this.#text, this.#at);
      this.#at = end;
      return charNode(test);
    }
    const [code, end] = parseEscapedChar(this.#text, this.#at);
    this.#at = end;
    return literal(code, flags);
  }

  #repeated(node: RegexNode): RegexNode {
    const range = this.#range();
    if (range === undefined) return node;
    this.#take('?');
    if (this.#range() !== undefined) throw new RegexSyntaxError('invalid nested repetition operator');
    const [min, max] = range;
    return { kind: 'repeat', part: node, min, max };
  }

  #range(): readonly [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    const counted = /^\{(\d{1,9})(?:(,)(\d{1,9})?)?\}/.exec(
      this.#text.slice(this.#at, this.#at + 24).join(''),
    );
    // Braces around anything else are just braces.
    if (counted === null) return undefined;
    this.#at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === undefined ? Infinity : Number(counted[3]);
    const isTooLarge = min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT);
    if (isTooLarge || min > max) throw new RegexSyntaxError('invalid repeat count');
    return [min, max];
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): string {
    return this.#text[this.#at++]!;
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #isNext(text: string): boolean {
    return this.#text.slice(this.#at, this.#at + text.length).join('') === text;
  }
}

function literal(code: number, { ignoreCase }: Flags): RegexNode {
  if (!ignoreCase) return charNode((other) => other === code);
  const folded = String.fromCodePoint(code).toLowerCase();
  return charNode((other) => other === code || String.fromCodePoint(other).toLowerCase() === folded);
}

function charNode(test: CharTest): RegexNode {
  return { kind: 'char', test };
}
