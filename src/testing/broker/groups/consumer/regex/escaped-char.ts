import { RegexSyntaxError } from './regex-node.ts';

const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The character that an escape means, and where the pattern goes on. */
export function parseEscapedChar(text: readonly string[], at: number): [code: number, end: number] {
  const char = text[at];
  if (char === undefined) throw new RegexSyntaxError('trailing backslash at end of expression');
  const control = CONTROL[char];
  if (control !== undefined) return [control, at + 1];
  const rest = text.slice(at, at + 12).join('');
  const hex = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(rest);
  const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{2})/.exec(rest);
  if (hex !== null) {
    const code = parseInt(hex[1] ?? hex[2]!, 16);
    if (code <= 0x10ffff) return [code, at + hex[0].length];
  } else if (octal !== null) return [parseInt(octal[0], 8), at + octal[0].length];
  else if (!/^[A-Za-z0-9]$/.test(char) && char.codePointAt(0)! < 128) return [char.codePointAt(0)!, at + 1];
  throw new RegexSyntaxError('invalid escape sequence');
}
