/** How values, functions and errors are written in reprs and reports. @module */

/**
 * Makes `console.log`, by way of Node's `util.inspect`, show instances of `type` as `toString` does, and has it keep its
 * name when it is minified.
 */
export function inspectAsString(name: string, type: { readonly prototype: object }): void {
  Object.defineProperty(type.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: inspect });
  keepName(name, type);
}

/** Has a class keep its name when it is minified, or a function take that of another: reprs show it. */
export function keepName(name: string, type: object): void {
  Object.defineProperty(type, "name", { value: name, configurable: true });
}

function inspect(this: object): string {
  return this.toString();
}

const MAX_STRING = 30;
const MAX_ITEMS = 6;

/** A short, one-line picture of `value`, after Python's `reprlib.repr`. It never throws and never runs long. */
export function repr(value: unknown, depth: number = 2): string {
  try {
    return reprOf(value, depth);
  } catch {
    return "<unprintable>";
  }
}

function reprOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "function":
      return `${functionName(value)}()`;
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : reprOfObject(value, depth);
    default:
      return String(value);
  }
}

/** The name a report gives a function. */
export function functionName(fn: object): string {
  try {
    const { name } = fn as { readonly name?: unknown };
    return typeof name === "string" && name !== "" ? name : "anonymous";
  } catch {
    return "anonymous";
  }
}

/** An error with its stack, its causes and the errors of a group, as a report shows it. It never throws. */
export function formatError(error: unknown): string {
  try {
    return formatErrorOf(error, new Set()).join("\n");
  } catch {
    return "<an error that cannot be shown>";
  }
}

function formatErrorOf(error: unknown, seen: Set<unknown>): string[] {
  if (!(error instanceof Error)) return [repr(error)];
  if (seen.has(error)) return [`${repr(error)} (see above)`];
  seen.add(error);
  const lines = stackOf(error).split("\n");
  if (error instanceof AggregateError) {
    for (const [i, inner] of error.errors.entries()) {
      const [first, ...rest] = formatErrorOf(inner, seen);
      lines.push(`  [${i + 1}] ${first}`, ...rest.map((line) => `  ${line}`));
    }
  }
  if (error.cause !== undefined) {
    const [first, ...rest] = formatErrorOf(error.cause, seen);
    lines.push(`caused by: ${first}`, ...rest);
  }
  return lines;
}

/** The stack, which begins with the name and the message; these alone if it has none. */
function stackOf(error: Error): string {
  const head = `${error.name}${error.message === "" ? "" : `: ${error.message}`}`;
  const { stack } = error as { readonly stack?: unknown };
  if (typeof stack !== "string" || !stack.includes(head)) return head;
  return stack.replace(`${head}: \n`, `${head}\n`).replace(/: $/, "");
}

function quote(text: string): string {
  if (text.length <= MAX_STRING - 2) return `'${text}'`;
  const half = (MAX_STRING - 3) / 2;
  return `'${text.slice(0, Math.floor(half) - 1)}...${text.slice(-Math.floor(half))}'`;
}

function reprOfObject(value: object, depth: number): string {
  if (value instanceof AggregateError) return `${value.name}(${quote(value.message)}, ${repr(value.errors, depth)})`;
  if (value instanceof Error) return `${value.name}(${value.message === "" ? "" : quote(value.message)})`;
  if (Array.isArray(value)) return reprOfArray(value, depth);
  if (value.toString !== Object.prototype.toString) return String(value);
  if (Symbol.toStringTag in value) return `<${String(value[Symbol.toStringTag])}>`;
  return reprOfRecord(value, depth);
}

function reprOfArray(items: readonly unknown[], depth: number): string {
  if (depth === 0) return "[...]";
  return `[${listed(items, (item) => repr(item, depth - 1))}]`;
}

function reprOfRecord(value: object, depth: number): string {
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  if (depth === 0) return "{...}";
  return `{ ${listed(entries, ([key, item]) => `${key}: ${repr(item, depth - 1)}`)} }`;
}

function listed<T>(items: readonly T[], show: (item: T) => string): string {
  const shown = items.slice(0, MAX_ITEMS).map((item) => show(item));
  if (items.length > MAX_ITEMS) shown.push("...");
  return shown.join(", ");
}
