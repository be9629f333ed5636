import { jsonText } from '../core/json-text.js';

/**
 * A value as JSON, to tell telemetry of. BigInts become texts. Undefined when JSON cannot take it, e.g. because it contains
 * itself: what telemetry is told must never break what it is told of.
 */
export function jsonOf(value: unknown): string | undefined {
  try {
    return jsonText(value);
  } catch {
    return undefined;
  }
}
