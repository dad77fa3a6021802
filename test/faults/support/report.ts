const show = (value: unknown): string =>
  typeof value === 'number' ? String(Math.round(value * 100) / 100) : JSON.stringify(value);

/** Prints what was measured, whether or not it is within its bound. */
export function report(what: string, figures: Readonly<Record<string, unknown>>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${show(value)}`);
  process.stdout.write(`${what}: ${text.join(', ')}\n`);
}
