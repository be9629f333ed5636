/**
 * A stored value as JSON text; undefined where `JSON.stringify` answers that. What JSON does not know and Drover stores
 * is written as near as JSON comes: a BigInt as the text of its digits, NaN and an invalid date as null.
 */
export function jsonText(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
