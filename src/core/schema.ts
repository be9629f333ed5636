import { kindOf, type Check } from './check.js';
import { SchemaMismatchError } from './errors.js';

/** What zod, valibot, arktype and others have in common: https://standardschema.dev, version 1. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Schemas of job data by job name. Names without one take any data. */
export type JobSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** Checks the option `schemas`. Validators may be functions with properties, as arktype's are. */
export const schemasCheck: Check = (value) => {
  if (typeof value !== 'object' || value === null) return 'an object of Standard Schemas';
  for (const [name, schema] of Object.entries(value as Record<string, Partial<StandardSchemaV1> | null>)) {
    if (typeof schema?.['~standard']?.validate !== 'function') return `an object of Standard Schemas; "${name.slice(0, 80)}" is ${kindOf(schema)}`;
  }
  return undefined;
};

/**
 * Holds data against the schema of its job name. It only looks: what the schema would make of the data is not used, so
 * that the same schema can look again at take. Throws SCHEMA_MISMATCH; a promise only if the schema makes one.
 */
export function validate(schemas: JobSchemas, name: string, data: unknown, field: string): void | Promise<void> {
  const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
  if (!schema) return undefined;
  const result = schema['~standard'].validate(data);
  return result instanceof Promise ? result.then((settled) => refuse(settled, field)) : refuse(result, field);
}

function refuse(result: SchemaResult<unknown>, field: string): void {
  const [issue] = result.issues ?? [];
  if (issue) throw new SchemaMismatchError(pathOf(issue, field), issue.message);
}

/** Where the first issue is, e.g. `data.user.emails[0]`. */
function pathOf({ path = [] }: SchemaIssue, field: string): string {
  return path.reduce<string>((text, part) => {
    const key = typeof part === 'object' ? part.key : part;
    return typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`;
  }, field);
}
