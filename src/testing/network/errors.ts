/** The errors of the system's calls, as Node.js has them. @module */

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "address not available",
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  EMSGSIZE: "message too long",
  ENOTFOUND: "name not known",
  ETIMEDOUT: "connection timed out",
};

/** An error with `code`, and what it is about. */
export function systemError(code: string, syscall: string, where: string, more: object = {}): Error {
  const error = new Error(`${syscall} ${code} ${where}: ${TEXTS[code] ?? code}`);
  return Object.assign(error, { code, syscall, ...more });
}
