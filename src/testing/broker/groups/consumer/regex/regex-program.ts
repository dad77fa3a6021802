import { RegexSyntaxError } from './regex-node.ts';
import type { CharTest, Place, RegexNode } from './regex-node.ts';

/** Steps of a machine that is in many places at once: no pattern can make it go back, so its time is bounded by its length times the text's. */
type Instruction =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'place'; readonly place: Place }
  | { kind: 'jump'; targets: number[] }
  | { readonly kind: 'match' };

/** A pattern that needs more is refused. */
const MAX_INSTRUCTIONS = 5000;
/** Repeating nothing takes no instruction, but time. */
const MAX_NODES = 50_000;

export class RegexProgram {
  readonly #code: Instruction[] = [];
  #nodes = 0;

  /** @throws RegexSyntaxError when it would become too large. */
  constructor(node: RegexNode) {
    this.#emit(node);
    this.#push({ kind: 'match' });
  }

  /** True when the whole text is what the pattern says. */
  matches(text: string): boolean {
    const codes = Array.from(text, (char) => char.codePointAt(0)!);
    let current = new Set<number>();
    this.#enter(0, codes, 0, current);
    for (let at = 0; at < codes.length && current.size > 0; at++) {
      const next = new Set<number>();
      for (const step of current) {
        const instruction = this.#code[step]!;
        if (instruction.kind === 'char' && instruction.test(codes[at]!))
          this.#enter(step + 1, codes, at + 1, next);
      }
      current = next;
    }
    return current.has(this.#code.length - 1);
  }

  /** Adds the places that can be reached from `start` without taking a character. */
  #enter(start: number, codes: readonly number[], at: number, into: Set<number>): void {
    const stack = [start];
    for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
      if (into.has(step)) continue;
      into.add(step);
      const instruction = this.#code[step]!;
      if (instruction.kind === 'jump') stack.push(...instruction.targets);
      else if (instruction.kind === 'place' && isAt(instruction.place, codes, at)) stack.push(step + 1);
    }
  }

  #emit(node: RegexNode): void {
    if (++this.#nodes > MAX_NODES) throw new RegexSyntaxError('expression too large');
    switch (node.kind) {
      case 'char':
        this.#push({ kind: 'char', test: node.test });
        return;
      case 'place':
        this.#push({ kind: 'place', place: node.place });
        return;
      case 'sequence':
        for (const part of node.parts) this.#emit(part);
        return;
      case 'choice':
        this.#emitChoice(node.parts);
        return;
      case 'repeat':
        this.#emitRepeat(node.part, node.min, node.max);
    }
  }

  #emitChoice(parts: readonly RegexNode[]): void {
    const fork = this.#jump();
    const ends = parts.map((part) => {
      fork.targets.push(this.#code.length);
      this.#emit(part);
      return this.#jump();
    });
    for (const end of ends) end.targets.push(this.#code.length);
  }

  #emitRepeat(part: RegexNode, min: number, max: number): void {
    for (let count = 0; count < min; count++) this.#emit(part);
    if (max === Infinity) {
      const loop = this.#code.length;
      const fork = this.#jump(loop + 1);
      this.#emit(part);
      this.#jump(loop);
      fork.targets.push(this.#code.length);
      return;
    }
    const forks: { targets: number[] }[] = [];
    for (let count = min; count < max; count++) {
      forks.push(this.#jump(this.#code.length + 1));
      this.#emit(part);
    }
    for (const fork of forks) fork.targets.push(this.#code.length);
  }

  #jump(...targets: number[]): { targets: number[] } {
    const jump: Instruction = { kind: 'jump', targets };
    this.#push(jump);
    return jump;
  }

  #push(instruction: Instruction): void {
    if (this.#code.length >= MAX_INSTRUCTIONS) throw new RegexSyntaxError('expression too large');
    this.#code.push(instruction);
  }
}

function isAt(place: Place, codes: readonly number[], at: number): boolean {
  const isStart = at === 0;
  const isEnd = at === codes.length;
  switch (place) {
    case 'start':
      return isStart;
    case 'end':
      return isEnd;
    case 'lineStart':
      return isStart || codes[at - 1] === 10;
    case 'lineEnd':
      return isEnd || codes[at] === 10;
    default: {
      const isEdge = isWord(codes[at - 1]) !== isWord(codes[at]);
      return place === 'wordEdge' ? isEdge : !isEdge;
    }
  }
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && /^\w$/.test(String.fromCodePoint(code));
}
