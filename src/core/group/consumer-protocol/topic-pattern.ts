// Patterns that the broker can match itself: a RegExp in the syntax of RE2, where it means the same there.

/** Kafka's own topics, which a pattern on the broker would find and a member must not read. */
const INTERNAL_TOPICS = ['__consumer_offsets', '__transaction_state', '__share_group_state'];
/** RE2's limit of a counted repetition. */
const MAX_REPEATS = 1_000;
const COUNTED = /^\{(\d+)(?:,(\d*))?\}/;
const CLASS_ESCAPES = 'dDwWsSbB';
/** The flags that change nothing for names, which are one line of ASCII; `i` is written into the pattern. */
const HARMLESS_FLAGS = /^[gimsuyd]*$/;

/**
 * The pattern for the broker, which compares it with whole names. Undefined where RE2 has no such syntax (looking around, back references, `\p`,
 * `\u`, `[^]`, the flag `v`, ...), means something else by it, or would find Kafka's internal topics: then the client looks for the names itself.
 */
export function brokerPattern(pattern: RegExp): string | undefined {
  const { flags } = pattern;
  if (!HARMLESS_FLAGS.test(flags)) return undefined;
  const matcher = new RegExp(pattern.source, flags.replace(/[gy]/g, ''));
  if (INTERNAL_TOPICS.some((topic) => matcher.test(topic))) return undefined;
  const source = translate(pattern.source);
  if (source === undefined) return undefined;
  const whole = wholeName(source);
  return flags.includes('i') ? `(?i)${whole}` : whole;
}

/** `RegExp.test` looks for a match anywhere, the broker for one of the whole name. */
function wholeName(source: string): string {
  if (source.includes('|')) return `.*(?:${source}).*`;
  const start = source.startsWith('^') ? source.slice(1) : `.*${source}`;
  if (!/(?:^|[^\\])(?:\\\\)*\$$/.test(start)) return `${start}.*`;
  return start.slice(0, -1);
}

function translate(source: string): string | undefined {
  let out = '';
  for (let at = 0; at < source.length;) {
    const part = partAt(source, at);
    if (part === undefined) return undefined;
    out += part.text;
    at += part.length;
  }
  return out;
}

interface Part {
  readonly text: string;
  readonly length: number;
}

function partAt(source: string, at: number): Part | undefined {
  const char = source[at]!;
  if (char > '~' || char < ' ') return undefined;
  if (char === '\\') return escapeAt(source, at);
  if (char === '[') return classAt(source, at);
  if (char === '(') return groupAt(source, at);
  if (char === '{') return countedAt(source, at);
  // Without their openings these are letters to JavaScript, and may be something else to RE2.
  if (char === ']' || char === '}') return undefined;
  return { text: char, length: 1 };
}

function escapeAt(source: string, at: number): Part | undefined {
  const escaped = source[at + 1] ?? '';
  if (CLASS_ESCAPES.includes(escaped)) return { text: `\\${escaped}`, length: 2 };
  if (!/^[!-/:-@[-`{-~]$/.test(escaped)) return undefined;
  return { text: /[/\-_]/.test(escaped) ? escaped : `\\${escaped}`, length: 2 };
}

function groupAt(source: string, at: number): Part | undefined {
  if (source[at + 1] !== '?') return { text: '(', length: 1 };
  if (source.startsWith('(?:', at)) return { text: '(?:', length: 3 };
  const named = /^\(\?<[A-Za-z_$][\w$]*>/.exec(source.slice(at));
  return named === null ? undefined : { text: '(', length: named[0].length };
}

function countedAt(source: string, at: number): Part | undefined {
  const counted = COUNTED.exec(source.slice(at));
  if (counted === null) return undefined;
  const [text, least, most] = counted;
  if (Number(least) > MAX_REPEATS || Number(most ?? 0) > MAX_REPEATS) return undefined;
  return { text, length: text.length };
}

/** A class such as `[^a-z.]`; what may be read in two ways is left to the client. */
function classAt(source: string, at: number): Part | undefined {
  let text = '[';
  let next = at + 1;
  if (source[next] === '^') {
    text += '^';
    next += 1;
  }
  if (source[next] === ']') return undefined;
  for (; source[next] !== ']';) {
    const char = source[next];
    if (char === undefined || char === '[' || char > '~' || char < ' ') return undefined;
    if (char !== '\\') {
      text += char;
      next += 1;
      continue;
    }
    const escaped = source[next + 1] ?? '';
    // \b is a backspace here.
    if (!/^[dDwWsS!-/:-@[-`{-~]$/.test(escaped)) return undefined;
    text += escaped === '/' || escaped === '_' ? escaped : `\\${escaped}`;
    next += 2;
  }
  return { text: `${text}]`, length: next + 1 - at };
}
