import { parseRegex } from './parse-regex.ts';
import { RegexSyntaxError } from './regex-node.ts';
import { RegexProgram } from './regex-program.ts';

/** Compiles a pattern in the syntax of RE2, for whole topic names; an error says what is wrong with it. Its size and time are bounded, whoever wrote it. */
export function compileTopicRegex(pattern: string): RegexProgram | RegexSyntaxError {
  try {
    return new RegexProgram(parseRegex(pattern));
  } catch (error) {
    if (error instanceof RegexSyntaxError) return error;
    throw error;
  }
}
