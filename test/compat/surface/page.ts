import type { Difference } from './differences.js';
import { compareSurfaces, type Finding, type Library } from './surface.js';

/** What the page says of a library: at its top, of its differences, and of every name. */
export interface Section {
  /** Lines of the top. */
  summary: string[];
  differences: string;
  names: string;
}

export function sectionOf(library: Library): Section {
  const { title, version, differences } = library;
  const findings = compareSurfaces(library);
  const owners = [...new Set(findings.map(({ owner }) => owner))].map((owner) => findings.filter((finding) => finding.owner === owner));
  const isBig = (group: Finding[]): boolean => group.length > 1 && !(group[0] && differences[group[0].owner]?.verdict === 'left out');
  return {
    summary: summaryOf(library, findings),
    differences: [`## ${title} ${short(version)}: differences by reason`, '', ...differenceTable(library, findings, false), ...differenceTable(library, findings, true)].join('\n'),
    names: [
      `## ${title} ${short(version)}: every name`,
      '',
      ...table(library, owners.filter((group) => !isBig(group)).flat().filter(({ name, owner }) => name === owner)),
      ...owners.filter(isBig).flatMap((group) => [`### ${title}: ${group[0]?.owner ?? ''}`, '', ...table(library, group)]),
    ].join('\n'),
  };
}

/** A line of figures, and one for each kind of thing that is left out, the largest first. */
function summaryOf(library: Library, findings: Finding[]): string[] {
  const { title, version, package: name } = library;
  const tally = (verdict: string): number => findings.filter((finding) => verdictOf(library, finding).startsWith(verdict)).length;
  const leftOut = new Map<string, number>();
  for (const finding of findings) {
    const difference = differenceOf(library, finding);
    if (difference?.verdict !== 'left out') continue;
    const reason = difference.short ?? difference.because;
    leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  }
  const out = tally('left out');
  return [
    `**${title} ${short(version)}.** Of ${findings.length} public names in the declarations of \`${name}\` ${version}, ${tally('same')} are the same, ${tally('better')} are better, and`
      + ` ${out === 0 ? 'none is left out.' : `${out} are left out on purpose:`}`,
    ...(out === 0 ? [] : ['', ...[...leftOut].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `- ${count}: ${reason}`)]),
  ];
}

const short = (version: string): string => version.replace(/\.\d+$/, '');

function differenceOf({ differences }: Library, { name, owner }: Finding): Difference | undefined {
  return differences[name] ?? (differences[owner]?.verdict === 'left out' ? differences[owner] : undefined);
}

/** The differences by reason, which is how they are decided: those that programs meet, or those of the library's inside. */
function differenceTable({ title, differences }: Library, findings: Finding[], inside: boolean): string[] {
  const reasons = new Map<string, Finding[]>();
  for (const finding of findings) {
    const difference = differences[finding.name];
    if (!difference || (difference.inside ?? false) !== inside) continue;
    const key = `${difference.verdict} | ${difference.because}`;
    reasons.set(key, [...(reasons.get(key) ?? []), finding]);
  }
  const rows = [...reasons].sort().map(([reason, group]) => `| ${reason} | ${group.length} | ${group.map(({ name }) => code(name)).join(' ')} |`);
  if (rows.length === 0) return [];
  const heading = inside ? [`What ${title} exports of its inside:`, ''] : [];
  return [...heading, '| | how, or why | | names |', '|-|-|-|-|', ...rows, ''];
}

function table(library: Library, findings: Finding[]): string[] {
  return ['| name | in Drover |', '|-|-|', ...findings.map((finding) => `| ${code(finding.name)} | ${verdictOf(library, finding)} |`), ''];
}

function verdictOf(library: Library, finding: Finding): string {
  const difference = differenceOf(library, finding);
  return difference ? `${difference.verdict}: ${difference.because}` : 'same';
}

const code = (name: string): string => `\`${name}\``;
