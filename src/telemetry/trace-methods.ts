import { SpanKind } from './names.js';
import type { Attributes, Telemetry } from './telemetry.js';
import { trace } from './trace.js';

/** How a call of a method is told as a span: `<operation> <queue>`, or `<operation> <queue>.<job>`. */
export interface SpanOfMethod {
  /** Default: the method's name. */
  operation?: string;
  /** The name of the job that the call is about. */
  job?: (...args: never[]) => string;
  /** Default: internal. */
  kind?: SpanKind;
  about?: (...args: never[]) => Attributes;
  /** What the span says of the result. */
  found?: (result: never) => Attributes;
  /** Whether the result belongs to a trace: its context as text. The span begins when the call has ended, below that. */
  from?: (result: never) => string | undefined;
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** What may be traced so. */
interface Traceable {
  name: string;
  /** Set while closing and after. */
  closing?: Promise<void> | undefined;
}

/**
 * Puts spans around the methods of one object. Objects without telemetry keep the plain methods, so it costs them nothing.
 *
 * @param always what every span says.
 */
export function traceMethods(target: Traceable, telemetry: Telemetry, spans: Record<string, SpanOfMethod>, always: Attributes = {}): void {
  for (const [method, span] of Object.entries(spans)) {
    const plain = Reflect.get(target, method) as Method;
    const value: Method = (...args) => {
      const call = (): Promise<unknown> => plain.apply(target, args);
      // Who calls `close` again waits for the same end, which is told already.
      if (method === 'close' && target.closing) return call();
      return tell(telemetry, { method, queue: target.name, span, always, args }, call);
    };
    Object.defineProperty(target, method, { value, writable: true, configurable: true });
  }
}

interface Told {
  method: string;
  queue: string;
  span: SpanOfMethod;
  always: Attributes;
  args: unknown[];
}

async function tell(telemetry: Telemetry, { method, queue, span, always, args }: Told, call: () => Promise<unknown>): Promise<unknown> {
  const { operation = method, kind = SpanKind.INTERNAL, job, about, found, from } = span;
  const destination = job ? `${queue}.${job(...(args as never[]))}` : queue;
  const early = from && call();
  const origin = early && (await early.then((result) => from(result as never), () => undefined));
  return trace(telemetry, { kind, operation, queue, destination, from: origin }, async (begun) => {
    const result = early ?? call();
    begun?.setAttributes({ ...always, ...about?.(...(args as never[])) });
    const settled = await result;
    if (found) begun?.setAttributes(found(settled as never));
    return settled;
  });
}
