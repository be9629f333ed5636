/** A name for which code written against the other library does not compile against Drover. */
export interface Difference {
  /** `better`: it is there, and other than it was. `left out`: there is no such name. */
  verdict: 'better' | 'left out';
  /** How, or why. */
  because: string;
}

export interface Group extends Difference {
  /** `Name`, `Name.member`, `Name.static_member`, or `Name<…>` for its type parameters. */
  names: string;
}

export type Differences = Readonly<Record<string, Difference>>;

export function differencesOf(groups: readonly Group[]): Differences {
  return Object.fromEntries(groups.flatMap(({ names, verdict, because }) =>
    names.trim().split(/\s+/).map((name) => [name.replace('static_', 'static '), { verdict, because }])));
}
