import type { Difference } from './differences.js';
import { compareSurfaces, type Finding, type Library } from './surface.js';

/** A library's part of docs/compatibility.md: every name with what it is in Drover. */
export function sectionOf(library: Library): string {
  const { title, version, differences } = library;
  const findings = compareSurfaces(library);
  const tally = (verdict: string): number => findings.filter((finding) => verdictOf(library, finding).startsWith(verdict)).length;
  const owners = [...new Set(findings.map(({ owner }) => owner))].map((owner) => findings.filter((finding) => finding.owner === owner));
  const isBig = (group: Finding[]): boolean => group.length > 1 && !(group[0] && differences[group[0].owner]?.verdict === 'left out');
  return [
    `## ${title} ${version.replace(/\.\d+$/, '')}`,
    '',
    `${findings.length} public names are read from the declarations of \`${library.package}\` ${version} and compared with Drover's by the compiler:`,
    `${tally('same')} are the same, which means that code that uses them compiles unchanged, ${tally('better')} are better, and ${tally('left out')} are left out.`,
    '',
    `### ${title}: differences`,
    '',
    ...differenceTable(library, findings, false),
    ...differenceTable(library, findings, true),
    `### ${title}: exports`,
    '',
    ...table(library, owners.filter((group) => !isBig(group)).flat().filter(({ name, owner }) => name === owner)),
    ...owners.filter(isBig).flatMap((group) => [`### ${title}: ${group[0]?.owner ?? ''}`, '', ...table(library, group)]),
  ].join('\n');
}

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
  const rows = [...reasons].sort().map(([reason, group]) => `| ${reason} | ${group.map(({ name }) => code(name)).join(' ')} |`);
  if (rows.length === 0) return [];
  const heading = inside ? [`What ${title} exports of its inside:`, ''] : [];
  return [...heading, '| | how, or why | names |', '|-|-|-|', ...rows, ''];
}

function table(library: Library, findings: Finding[]): string[] {
  return ['| name | in Drover |', '|-|-|', ...findings.map((finding) => `| ${code(finding.name)} | ${verdictOf(library, finding)} |`), ''];
}

function verdictOf(library: Library, finding: Finding): string {
  const difference = differenceOf(library, finding);
  return difference ? `${difference.verdict}: ${difference.because}` : 'same';
}

const code = (name: string): string => `\`${name}\``;
