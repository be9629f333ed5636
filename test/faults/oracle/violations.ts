/** Broken promises, by invariant; the first few of each kind are kept in words. */
export class Violations {
  readonly #found = new Map<string, { count: number; examples: string[] }>();

  add(invariant: string, what: string): void {
    const known = this.#found.get(invariant) ?? { count: 0, examples: [] };
    this.#found.set(invariant, known);
    known.count += 1;
    if (known.examples.length < 10) known.examples.push(what);
  }

  get count(): number {
    return [...this.#found.values()].reduce((sum, { count }) => sum + count, 0);
  }

  toJSON(): Record<string, { count: number; examples: string[] }> {
    return Object.fromEntries(this.#found);
  }
}
