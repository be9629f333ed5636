import ts from 'typescript';
import { compile, isHidden, onlyPublic } from './program.js';
import type { Differences } from './differences.js';

/** A library whose declarations are compared with Drover's. */
export interface Library {
  /** As its package is called. */
  package: string;
  version: string;
  /** Its users' name for it. */
  title: string;
  /** Two lines that import the types of the library as `B` and those of Drover as `D`. */
  imports: string;
  /** Where else imports lead. */
  paths?: Record<string, string[]>;
  /** Types that users hand over; all others are handed to users. */
  isInput: (name: string) => boolean;
  /** Members that have interfaces of their own, which are compared one by one. */
  comparedApart: ReadonlySet<string>;
  differences: Differences;
}

/** What comparing one name found. */
export interface Finding {
  /** `Queue`, `Queue.add`, `Worker.static RateLimitError`, `WorkerOptions.metrics`. */
  name: string;
  /** The class, interface or other export that it belongs to. */
  owner: string;
  kind: Kind;
  verdict: 'same' | 'missing' | 'differs';
  /** What the compiler says about it. */
  because?: string;
}

export type Kind = 'class' | 'interface' | 'type' | 'function' | 'constant' | 'enum';

interface Entry {
  name: string;
  kind: Kind;
  /** Own and inherited public members; those of the class itself begin with `static `. */
  members: string[];
  /** Type parameters that must be given, and all. */
  parameters: [required: number, all: number];
}

const entryFile = 'test/compat/surface/both.ts';
const probeFile = 'test/compat/surface/probe.ts';

/** Members that every class of Node has, and TypeScript's own. */
const ofEventEmitter = new Set([
  'addListener', 'removeListener', 'removeAllListeners', 'setMaxListeners', 'getMaxListeners', 'listeners', 'rawListeners', 'listenerCount',
  'prependListener', 'prependOnceListener', 'eventNames', 'prototype', 'captureRejections', 'captureRejectionSymbol', 'defaultMaxListeners',
  'errorMonitor', 'stackTraceLimit', 'captureStackTrace', 'prepareStackTrace', 'getEventListeners', 'addAbortListener', 'setMaxListeners',
]);

interface Entries {
  theirs: Entry[];
  ours: Map<string, Entry>;
}

const read = new Map<Library, Entries>();

function entriesFor(library: Library): Entries {
  const known = read.get(library);
  if (known) return known;
  const program = compile(new Map([[entryFile, `${library.imports}export type { B, D };`]]), onlyPublic(() => false), library.paths);
  const entries = { theirs: entriesOf(program, 'B'), ours: new Map(entriesOf(program, 'D').map((entry) => [entry.name, entry])) };
  read.set(library, entries);
  return entries;
}

/** Compares every public name of a library's declarations with Drover's; what is `isKnown` to differ is not tried. */
export function compareSurfaces(library: Library, isKnown = (name: string): boolean => Object.hasOwn(library.differences, name)): Finding[] {
  const { theirs, ours } = entriesFor(library);
  const findings: Finding[] = [];
  const probes: Probe[] = [];
  const judge = (finding: Finding, lines: string[] | undefined): void => {
    findings.push(lines ? finding : { ...finding, verdict: 'missing' });
    if (lines) probes.push({ finding, lines });
  };
  const write = new ProbeWriter(library);
  for (const entry of theirs) {
    const twin = ours.get(entry.name);
    const finding = { name: entry.name, owner: entry.name, kind: entry.kind, verdict: 'same' } as const;
    judge({ ...finding }, twin && write.probesOf(entry, twin));
    if (!twin) continue;
    if (twin.parameters[1] < entry.parameters[1]) judge({ ...finding, name: `${entry.name}<…>` }, undefined);
    for (const member of entry.members) {
      const name = `${entry.name}.${member}`;
      judge({ ...finding, name }, member === 'constructor' || twin.members.includes(member) ? write.memberProbes(entry, twin, member) : undefined);
    }
  }
  refute(library, probes, isKnown);
  return findings;
}

interface Probe {
  finding: Finding;
  lines: string[];
}

/** Marks what does not compile. Declared differences are cut out first: one of them is not to be told of everywhere. */
function refute(library: Library, probes: Probe[], isKnown: (name: string) => boolean): void {
  const cut = onlyPublic(isKnown);
  const owners: Finding[] = [];
  const lines = library.imports.trimEnd().split('\n');
  const declared = probes.filter(({ finding }) => !isKnown(finding.name));
  for (const { finding, lines: own } of declared) {
    for (const line of own) {
      owners[lines.length] = finding;
      lines.push(line);
    }
  }
  const program = compile(new Map([[probeFile, lines.join('\n')]]), cut, library.paths);
  const file = program.getSourceFiles().find(({ fileName }) => fileName.endsWith(probeFile));
  for (const diagnostic of [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]) {
    const line = file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
    const finding = owners[line];
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    if (!finding) throw new Error(`The probe is broken: ${text} at ${lines[line]}`);
    finding.verdict = 'differs';
    finding.because ??= `${lines[line]}\n${text}`;
  }
  for (const { finding } of probes) if (isKnown(finding.name)) finding.verdict = 'differs';
}

function typed(side: 'B' | 'D', { name, parameters: [required] }: Entry): string {
  return required === 0 ? `${side}.${name}` : `${side}.${name}<${Array.from({ length: required }, () => 'any').join(', ')}>`;
}

/** Writes lines of which none may be an error if the two libraries agree. */
class ProbeWriter {
  readonly #library: Library;
  #count = 0;

  constructor(library: Library) {
    this.#library = library;
  }

  probesOf(entry: Entry, twin: Entry): string[] {
    switch (entry.kind) {
      case 'function': case 'constant': return [this.#assign(`typeof B.${entry.name}`, `typeof D.${entry.name}`)];
      case 'type': return [this.#library.isInput(entry.name) ? this.#assign(typed('D', twin), typed('B', entry)) : this.#assign(typed('B', entry), typed('D', twin))];
      case 'enum': return [this.#assign(`B.${entry.name}`, `D.${entry.name}`)];
      // These are compared member by member.
      case 'class': case 'interface': return [];
      default: return entry.kind satisfies never;
    }
  }

  memberProbes(entry: Entry, twin: Entry, member: string): string[] {
    if (entry.kind === 'enum') return [];
    const [theirs, ours] = [typed('B', entry), typed('D', twin)];
    if (this.#library.comparedApart.has(`${entry.name}.${member}`) || (entry.kind === 'class' && this.#library.comparedApart.has(member))) return [];
    if (member === 'constructor') return [this.#assign(`ConstructorParameters<typeof D.${entry.name}>`, `ConstructorParameters<typeof B.${entry.name}>`)];
    if (member.startsWith('static ')) {
      const key = JSON.stringify(member.slice('static '.length));
      return this.#callable(`(typeof B.${entry.name})[${key}]`, `(typeof D.${entry.name})[${key}]`);
    }
    const key = JSON.stringify(member);
    if (entry.kind !== 'class' && this.#library.isInput(entry.name)) return [this.#assign(`${ours}[${key}]`, `${theirs}[${key}]`)];
    return this.#callable(`${theirs}[${key}]`, `${ours}[${key}]`);
  }

  /** What Drover's member answers is what the other's does; what the other's may be called with, Drover's may. */
  #callable(theirs: string, ours: string): string[] {
    return [this.#assign(theirs, ours), this.#assign(`ParametersOf<${ours}>`, `ParametersOf<${theirs}>`)];
  }

  #assign(target: string, source: string): string {
    const prelude = this.#count++ === 0 ? 'type ParametersOf<F> = 0 extends 1 & F ? [] : F extends (...args: infer Args) => unknown ? Args : []; ' : '';
    return `${prelude}declare const from${this.#count}: ${source}; const to${this.#count}: ${target} = from${this.#count};`;
  }
}

function entriesOf(program: ts.Program, side: 'B' | 'D'): Entry[] {
  const checker = program.getTypeChecker();
  const file = program.getSourceFiles().find(({ fileName }) => fileName.endsWith(entryFile));
  const name = file?.statements.filter(ts.isImportDeclaration).map(({ importClause }) => nameIn(importClause)).find((each) => each?.text === side);
  if (!name) throw new Error(`There is no import of ${side}.`);
  const symbol = checker.getSymbolAtLocation(name);
  const module = symbol && checker.getAliasedSymbol(symbol);
  if (!module) throw new Error(`${side} cannot be resolved.`);
  return checker.getExportsOfModule(module).map((exported) => entryOf(checker, exported)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `* as B`, or `B` for a library that exports one thing with a namespace of types. */
function nameIn(clause: ts.ImportClause | undefined): ts.Identifier | undefined {
  const bindings = clause?.namedBindings;
  return bindings && ts.isNamespaceImport(bindings) ? bindings.name : clause?.name;
}

function entryOf(checker: ts.TypeChecker, exported: ts.Symbol): Entry {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const kind = kindOf(symbol);
  const declared = symbol.declarations?.[0];
  const parameters = declared && (ts.isClassDeclaration(declared) || ts.isInterfaceDeclaration(declared) || ts.isTypeAliasDeclaration(declared))
    ? declared.typeParameters ?? [] : [];
  const required = parameters.filter((parameter) => !parameter.default).length;
  return { name: exported.name, kind, members: membersOf(checker, symbol, kind, declared), parameters: [required, parameters.length] };
}

function kindOf({ flags }: ts.Symbol): Kind {
  if (flags & ts.SymbolFlags.Class) return 'class';
  if (flags & ts.SymbolFlags.Enum) return 'enum';
  if (flags & ts.SymbolFlags.Function) return 'function';
  if (flags & ts.SymbolFlags.Variable) return 'constant';
  return flags & ts.SymbolFlags.Interface ? 'interface' : 'type';
}

function membersOf(checker: ts.TypeChecker, symbol: ts.Symbol, kind: Kind, declared: ts.Declaration | undefined): string[] {
  if (!declared || kind === 'function' || kind === 'constant') return [];
  if (kind === 'enum') return checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol)).map(({ name }) => name);
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  if (kind === 'type' && (type.isUnion() || type.getCallSignatures().length > 0 || !(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)))) return [];
  const own = publicNames(checker.getPropertiesOfType(type));
  if (kind !== 'class') return own;
  const statics = publicNames(checker.getPropertiesOfType(checker.getTypeOfSymbolAtLocation(symbol, declared))).map((name) => `static ${name}`);
  return ['constructor', ...own, ...statics];
}

function publicNames(symbols: ts.Symbol[]): string[] {
  return symbols.filter((each) => !each.declarations?.some(isHidden) && !each.name.startsWith('__') && !ofEventEmitter.has(each.name)).map(({ name }) => name);
}
