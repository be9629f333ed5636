/** A name for which code written against the other library does not compile against Drover. */
export interface Difference {
  /** `better`: it is there, and other than it was. `left out`: there is no such name. */
  verdict: 'better' | 'left out';
  /** How, or why. */
  because: string;
  /** The same in a few words, for the top of the page, where groups that say the same are counted together. */
  short?: string;
  /** How the other library works inside, though it exports it. */
  inside?: boolean;
}

export interface Group extends Difference {
  /** `Name`, `Name.member`, `Name.static_member`, or `Name<…>` for its type parameters. */
  names: string;
}

export type Differences = Readonly<Record<string, Difference>>;

export function differencesOf(groups: readonly Group[]): Differences {
  return Object.fromEntries(groups.flatMap(({ names, ...difference }) =>
    names.trim().split(/\s+/).map((name) => [name.replace('static_', 'static '), difference])));
}
