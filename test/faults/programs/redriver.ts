// A process to be killed: `sluice redrive` with the arguments of one JSON object; its events are JSON lines on standard output.
export interface RedriverOptions {
  readonly args: readonly string[];
}

const { args } = JSON.parse(process.argv[2]!) as RedriverOptions;
process.argv.splice(2, 1, 'redrive', ...args);
process.argv[1] = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
await import('../../../src/cli/main.ts');
