/** What platforms have and do not document. Each is used in one file, which tests for it and says what happens without it. */

/** Something private of a platform. */
export interface PrivateApi {
  readonly name: string;
  /** How its use looks in code. */
  readonly pattern: RegExp;
  /** The one file that may use it. */
  readonly home: string;
}

const MICROTASKS = "node/platform/microtasks.ts";
const SOCKETS = "node/network/private-sockets.ts";

/** What is used. */
export const USED: readonly PrivateApi[] = [
  { home: MICROTASKS, name: "process._tickCallback", pattern: /\b_tickCallback\b/ },
  { home: MICROTASKS, name: "drainMicrotasks of bun:jsc", pattern: /\bbun:/ },
  { home: MICROTASKS, name: "process.getBuiltinModule", pattern: /\bgetBuiltinModule\b/ },
  { home: MICROTASKS, name: "Deno[Deno.internal]", pattern: /\bDeno\b[^;]*\binternal\b/ },
  { home: MICROTASKS, name: "runMicrotasks of Deno's core", pattern: /\brunMicrotasks\b/ },
  { home: SOCKETS, name: "socket._handle", pattern: /\b_handle\b/ },
  { home: SOCKETS, name: "handle.useUserBuffer", pattern: /\buseUserBuffer\b/ },
  { home: SOCKETS, name: "handle.writeQueueSize", pattern: /\bwriteQueueSize\b/ },
  {
    home: SOCKETS,
    name: "new Socket({ handle })",
    pattern: /\bhandle\b[^{}]*\ballowHalfOpen\b|Socket\([^)]*\bhandle\b/,
  },
  { home: SOCKETS, name: "tlsSocket.ssl", pattern: /socket(?: as [^;]+?)?\)?\??\.ssl\b|\bssl\b[^;]* = \w*socket\b/i },
  { home: SOCKETS, name: "ssl.verifyError", pattern: /\bverifyError\b/ },
  { home: SOCKETS, name: 'the event "_tlsError"', pattern: /\b_tlsError\b/ },
  { home: SOCKETS, name: 'the event "secure"', pattern: /["']secure["']/ },
];

/** Ways into the inside of a platform that nothing uses. */
export const REFUSED: readonly Omit<PrivateApi, "home">[] = [
  { name: "process.binding", pattern: /\bprocess\b[^;]*\bbinding\b/ },
  { name: "internalBinding", pattern: /\binternalBinding\b/ },
  { name: "node:internal", pattern: /["'](?:node:)?internal\// },
  { name: "symbols of objects that are not ours", pattern: /\bgetOwnPropertySymbols\b/ },
];

/**
 * The names with a leading underscore that `code` reads, writes, listens to, or gives an object by a type assertion. Unused
 * parameters begin so too and are left out.
 */
export function underscoreNamesIn(code: string): string[] {
  const afterDot = /(?<=\.)_\w+/g;
  const inQuotes = /(?<=[([,]\s*["'])_\w+(?=["'])/g;
  const inBraces = /(?<=\{[^(){};]*)(?<![\w$#."'])_\w+/g;
  return [afterDot, inQuotes, inBraces].flatMap((pattern) => code.match(pattern) ?? []);
}

/** The names with a leading underscore that are ours: a class has them, or an interface that others may see. */
export function underscoreNamesOf(code: string): string[] {
  const declarations = code.matchAll(/^(?:export interface|(?:export )?(?:abstract )?class) .*?^\}/gms);
  const member = /^ {2}(?:(?:abstract|async|get|override|protected|readonly|set|static) |\*)*(_\w+)/gm;
  return [...declarations].flatMap(([body]) => [...body.matchAll(member)].map(([, name = ""]) => name));
}
