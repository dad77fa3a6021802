// Puts other methods in the places of a class's own, from the outside: the product has no switches for this.

/** Takes the method as it was, and gives the one to be in its place. */
type Wrap<F> = (original: F) => F;

/**
 * Replaces a method, private ones included, for all instances. Returns what undoes it.
 * @throws Error when the class has no such method: the product has changed, and the planted bug with it.
 */
export function replaceMethod<F extends (this: never, ...args: never[]) => unknown>(
  of: { readonly prototype: object; readonly name: string },
  method: string,
  wrap: Wrap<F>,
): () => void {
  const prototype = of.prototype as Record<string, unknown>;
  const original = prototype[method];
  if (typeof original !== 'function')
    throw new Error(`${of.name} has no method ${method}; plant the bug elsewhere`);
  prototype[method] = wrap(original as unknown as F);
  return () => {
    prototype[method] = original;
  };
}

/** Undoes all of them, the last first. */
export function all(...undos: readonly (() => void)[]): () => void {
  return () => {
    for (const undo of undos.toReversed()) undo();
  };
}
