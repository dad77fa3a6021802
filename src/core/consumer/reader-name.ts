/** How errors call a reader. */
export function nameOf(reader: { readonly topic: string; readonly partition: number }): string {
  return `The reader of ${reader.topic}-${reader.partition}`;
}
