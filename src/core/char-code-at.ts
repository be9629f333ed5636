/**
 * `text.charCodeAt(at)` for loops over all characters. The Redis client derives a class from String, and after that V8 looks
 * up the methods of texts anew at every call, which takes several times as long as the call: so this one is looked up once.
 */
export const charCodeAt: (text: string, at: number) => number = Function.prototype.call.bind(String.prototype.charCodeAt); // eslint-disable-line @typescript-eslint/unbound-method -- bound here
