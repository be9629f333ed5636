import { ofBull, ofBullmq, type Betterment } from './betterments.js';
import { scenariosOf } from './programs.js';

/** The part of docs/compatibility.md on what the libraries do: for its top, and the table. */
export function conformanceSection(): { summary: string[]; differences: string } {
  const [bullmq, bull] = [scenariosOf.bullmq, scenariosOf.bull].map((programs) => Object.keys(programs).length);
  const [theirs, bulls] = [rows('BullMQ', ofBullmq), rows('Bull', ofBull)];
  return {
    summary: [
      `**[Behaviour](#behaviour).** ${bullmq} programs run on BullMQ and on Drover, and ${bull} on Bull and on \`drover/bull\`. They see the same but for`
        + ` ${theirs.length} and ${bulls.length} deliberate differences.`,
    ],
    differences: [
      '## Behaviour',
      '',
      `\`test/conformance\` runs ${bullmq} programs on BullMQ 6.7 and on Drover, and ${bull} on Bull 4.16 and on \`drover/bull\`, on the same Redis,`,
      'and compares all that they see: what calls answer and throw, events and their order, states, counters and order. They may differ',
      'only in what follows; a difference that is not here, and one that is here and gone, fails the test.',
      '',
      '| than | what Drover does otherwise | shown by |',
      '|-|-|-|',
      ...theirs,
      ...bulls,
    ].join('\n'),
  };
}

function rows(library: string, betterments: readonly Betterment[]): string[] {
  const reasons = new Map<string, string[]>();
  for (const { because, scenario } of betterments) reasons.set(because, [...(reasons.get(because) ?? []), scenario]);
  return [...reasons].map(([because, scenarios]) => `| ${library} | ${because} | ${scenarios.join('; ')} |`);
}
