// A line a second on how far it is and how fast.
export interface Progress {
  lines: number;
  words: number;
  stop(): void;
}

/** Starts reporting; `lines` and `words` are counted up by the caller. */
export function reportProgress(): Progress {
  const startedAt = performance.now();
  let lastWords = 0;
  const progress = { lines: 0, words: 0, stop: () => clearInterval(timer) };
  const timer = setInterval(() => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const rate = (progress.words - lastWords) * 2;
    lastWords = progress.words;
    console.log(
      `  ${seconds.padStart(5)} s   ${format(progress.lines)} lines   ${format(progress.words)} words   ${format(rate)} words/s`,
    );
  }, 500);
  return progress;
}

/** 1234567 as "1,234,567". */
export function format(count: number): string {
  return count.toLocaleString('en-US').padStart(9);
}
