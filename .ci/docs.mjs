// Writes docs/scripts.md from the headers of lua/*.lua, and the Redis permissions of each role into
// docs/redis-layout.md. `--check` writes nothing and fails when one of them is not current.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expandIncludes, scriptFiles } from './embed-lua.mjs';
import { isEntryPoint, root } from './steps.mjs';

const sections = ['KEYS', 'ARGV', 'REPLY', 'COST'];

/**
 * What every connection needs: to run scripts, to tell the server's version and clock, to name itself. ioredis also tells
 * its own name (`client|setinfo`) and goes on when it may not; Redis before 7.2 knows no such command.
 */
const connecting = ['evalsha', 'script|load', 'ping', 'info', 'time', 'client|setname', 'client|id'];

/** Commands that only look. */
const reading = [
  'hget', 'hmget', 'hgetall', 'hexists', 'hscan', 'zcard', 'zcount', 'zrange', 'zrangebyscore', 'zrevrange',
  'zrevrangebyscore', 'zscore', 'lindex', 'xread', 'xrevrange', 'client|list',
];

/**
 * Who runs which scripts, and which commands beside them. Some scripts belong to one class of the API and some to many;
 * a script that is named nowhere here is run by operators only.
 */
export const roles = {
  producer: {
    title: '`Queue` to add jobs and schedules, `FlowProducer`, `QueueEventsProducer`',
    scripts: ['enqueue', 'fetch', 'upsert-schedule', 'remove-schedule', 'publish-events', 'plant', 'adopt', 'inquire', 'receive', 'acknowledge'],
    commands: ['hset', 'zadd', 'zscore', 'hmget', 'hget', 'hexists', 'hscan'],
  },
  worker: {
    title: '`Worker`, with everything that a handler may do with its job',
    scripts: [
      'settle', 'renew', 'promote', 'recover', 'sweep', 'fire-schedule', 'remove-schedule', 'transfer', 'fetch', 'append-log', 'report-progress',
      'update-data', 'reprioritize', 'reschedule', 'redrive', 'remove', 'await-children', 'plant', 'adopt', 'inquire', 'receive',
      'acknowledge', 'forget-children', 'enqueue',
    ],
    commands: ['zadd', 'zcard', 'zrange', 'zscan', 'hset', 'hget', 'hmget', 'hscan', 'hdel', 'hexists', 'srandmember', 'bzpopmin', 'client|unblock'],
  },
  observer: {
    title: '`QueueEvents` and the getters of `Queue`: changes nothing',
    scripts: ['fetch', 'counts', 'inspect-events'],
    commands: reading,
  },
  operator: {
    title: '`Queue` with everything: pause, drain, clean, obliterate, redrive, limits',
    scripts: undefined,
    commands: [...reading, 'hset', 'hdel', 'zadd', 'del', 'unlink', 'xtrim', 'srandmember'],
  },
};

/** The header of a script: its title and the text under each section's name. */
function readHeader(file) {
  const lua = readFileSync(path.join(root, 'lua', file), 'utf8');
  const lines = /^(?:--.*\n)*/.exec(lua)[0].trimEnd().split('\n').map((line) => line.slice(3));
  const parts = { title: [] };
  let part = 'title';
  for (const line of lines) {
    if (line.startsWith('include ')) break;
    const name = /^([A-Z]+)\b/.exec(line)?.[1];
    if (sections.includes(name)) part = name;
    (parts[part] ??= []).push(line);
  }
  const verb = path.basename(file, '.lua');
  return { verb, title: parts.title.join(' ').replace(`${verb}: `, ''), contract: sections.flatMap((name) => parts[name] ?? []) };
}

/** The Redis commands that a script may run, helpers that it includes and does not use among them. */
function commandsOf(file) {
  const lua = expandIncludes(file);
  const found = new Set();
  for (const [, name, , sub] of lua.matchAll(/(?:redis\.p?call|eachChunk)\('([A-Z]+)'(, '([A-Z]+)')?/g)) {
    found.add(name === 'XINFO' ? `xinfo|${sub.toLowerCase()}` : name.toLowerCase());
  }
  return [...found].sort();
}

const scripts = () => scriptFiles().map((file) => ({ ...readHeader(file), commands: commandsOf(file) }));

/** Every permission that a role needs, sorted. */
export function permissions(role, all = scripts()) {
  const { scripts: verbs, commands } = roles[role];
  const own = all.filter(({ verb }) => verbs === undefined || verbs.includes(verb));
  return [...new Set([...connecting, ...commands, ...own.flatMap((script) => script.commands)])].sort();
}

/** The line that makes a user of this role, for `ACL SETUSER` or a configuration file. */
export function aclRule(role, keyPattern, all) {
  return `~${keyPattern} -@all ${permissions(role, all).map((command) => `+${command}`).join(' ')}`;
}

function scriptsPage() {
  const all = scripts();
  const callers = (verb) => Object.keys(roles).filter((role) => roles[role].scripts?.includes(verb)).join(', ') || '–';
  return `# Scripts

<!-- Generated from the headers in lua/ by "node .ci/docs.mjs"; do not edit. -->

Every change of a queue is one of these scripts. A client in another language needs nothing else than this page and
[the layout](redis-layout.md).

- \`KEYS\` are names of [keys](redis-layout.md#keys): \`wait\` stands for \`{<prefix>:<queue>}:wait\`. They are passed in this order.
  \`set\` is the state set that the call is about. \`target.…\` is a key of another queue.
- \`ARGV\` are passed in this order, as texts. \`(MessagePack …)\` is packed with strings as \`str\`, not \`bin\`: Redis's \`cmsgpack\`
  knows no \`bin\`. Records, outcomes and other packed values travel as strings inside.
- \`REPLY\` fields stand in one list, in this order, when there is more than one.
- A script is called with \`EVALSHA\`. On \`NOSCRIPT\` load the file \`lua/<name>.lua\` with its \`-- include\` lines replaced by the files
  they name (each file once), and call again.
- Every call may be sent again when its reply was lost: a second run finds its work done. Only \`append-log\` may leave its row twice.
- An operator may run all of them; the last column says who else does.

| script | what it does | run by |
|---|---|---|
${all.map(({ verb, title }) => `| [${verb}](#${verb}) | ${title.split(/(?<=\.) /)[0].replaceAll('|', '\\|')} | ${callers(verb)} |`).join('\n')}

${all.map(section).join('\n')}`;
}

function section({ verb, title, contract, commands }) {
  return `## ${verb}

${capitalized(title)}

\`\`\`
${contract.join('\n')}
\`\`\`

Redis commands: ${commands.map((command) => `\`${command.replace('|', ' ')}\``).join(', ')}.
`;
}

const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function permissionsBlock() {
  const all = scripts();
  return Object.entries(roles).map(([role, { title }]) => `**${role}**: ${title}.

\`\`\`
ACL SETUSER drover-${role} on >secret ${aclRule(role, '{drover:*}:*', all)}
\`\`\``).join('\n\n');
}

const markers = /(<!-- generated: permissions -->\n)[\s\S]*?(<!-- \/generated -->)/;

const pages = {
  'docs/scripts.md': () => scriptsPage(),
  'docs/redis-layout.md': (text) => text.replace(markers, (_, from, to) => `${from}\n${permissionsBlock()}\n\n${to}`),
};

const read = (file) => {
  try {
    return readFileSync(path.join(root, file), 'utf8');
  } catch {
    return '';
  }
};

/** The pages that are not what the scripts say. */
export const stalePages = () => Object.keys(pages).filter((file) => pages[file](read(file)) !== read(file));

if (isEntryPoint(import.meta.url)) {
  const stale = stalePages();
  if (!process.argv.includes('--check')) {
    for (const file of stale) writeFileSync(path.join(root, file), pages[file](read(file)));
  } else if (stale.length > 0) {
    console.error(`${stale.join(' and ')} not current: run "node .ci/docs.mjs"`);
    process.exitCode = 1;
  }
}
