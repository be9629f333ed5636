import { differences } from './differences.js';
import { compareSurfaces, type Finding } from './surface.js';

/** BullMQ's half of docs/compatibility.md: every name with what it is in Drover. */
export function bullmqSection(): string {
  const findings = compareSurfaces();
  const same = findings.filter((finding) => !differenceOf(finding)).length;
  const owners = [...new Set(findings.map(({ owner }) => owner))].map((owner) => findings.filter((finding) => finding.owner === owner));
  const isBig = (group: Finding[]): boolean => group.length > 1 && !(group[0] && differences[group[0].owner]?.verdict === 'left out');
  return [
    '## BullMQ 6.7',
    '',
    `${findings.length} public names are read from the declarations of \`bullmq\` 6.7.0 and compared with Drover's by the compiler: ${same} are the same,`,
    'which means that code that uses them compiles unchanged. All others are told apart here.',
    '',
    '### Differences',
    '',
    ...differenceTables(findings),
    '### Exports',
    '',
    ...table(owners.filter((group) => !isBig(group)).flat().filter(({ name, owner }) => name === owner)),
    ...owners.filter(isBig).flatMap((group) => [`### ${group[0]?.owner ?? ''}`, '', ...table(group)]),
  ].join('\n');
}

function differenceOf({ name, owner }: Finding): (typeof differences)[string] | undefined {
  return differences[name] ?? (differences[owner]?.verdict === 'left out' ? differences[owner] : undefined);
}

/** The differences by reason, which is how they are decided. */
function differenceTables(findings: Finding[]): string[] {
  const known = findings.filter(({ name }) => name in differences);
  const reasons = new Map<string, Finding[]>();
  for (const finding of known) {
    const { verdict, because } = differences[finding.name] ?? { verdict: '', because: '' };
    const key = `${verdict} | ${because}`;
    reasons.set(key, [...(reasons.get(key) ?? []), finding]);
  }
  const rows = [...reasons].sort().map(([reason, group]) => `| ${reason} | ${group.map(({ name }) => code(name)).join(' ')} |`);
  return ['| | how, or why | names |', '|-|-|-|', ...rows, ''];
}

function table(findings: Finding[]): string[] {
  return ['| name | in Drover |', '|-|-|', ...findings.map((finding) => `| ${code(finding.name)} | ${verdictOf(finding)} |`), ''];
}

function verdictOf(finding: Finding): string {
  const difference = differenceOf(finding);
  return difference ? `${difference.verdict}: ${difference.because}` : 'same';
}

const code = (name: string): string => `\`${name}\``;
