// Java's .properties format, in which Kafka's tools take their configuration.

const LINE_END = /\r\n|\r|\n/;
const ESCAPES: { readonly [letter: string]: string } = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** Reads what `java.util.Properties.load` reads: comments, `=`, `:` or blanks between name and value, escapes, lines that go on. Later entries win. */
export function parseProperties(text: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const end = nameEnd(line);
    const name = unescape(line.slice(0, end));
    const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
    entries.set(name, unescape(rest));
  }
  return entries;
}

function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let begun: string | undefined;
  for (const natural of text.split(LINE_END)) {
    const line = natural.replace(/^[ \t\f]+/, '');
    if (begun === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const whole = (begun ?? '') + line;
    const goesOn = /\\*$/.exec(line)![0].length % 2 === 1;
    begun = goesOn ? whole.slice(0, -1) : undefined;
    if (begun === undefined) lines.push(whole);
  }
  if (begun !== undefined && begun !== '') lines.push(begun);
  return lines;
}

/** Where the name ends: at the first blank, `=` or `:` that is not escaped. */
function nameEnd(line: string): number {
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at]!;
    if (letter === '\\') at += 1;
    else if (' \t\f=:'.includes(letter)) return at;
  }
  return line.length;
}

function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escaped: string) =>
    escaped.length > 1 ? String.fromCharCode(parseInt(escaped.slice(1), 16)) : (ESCAPES[escaped] ?? escaped),
  );
}
