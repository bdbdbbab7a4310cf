/** What the echo servers of JavaScript have in common: their arguments, and telling where they listen. @module */

import { readFileSync, writeSync } from "node:fs";

const [keyPath, certPath] = process.argv.slice(2);

/** The key and the certificate, if the server is to speak TLS; otherwise `null`. */
export const tls =
  keyPath === undefined || certPath === undefined
    ? null
    : { key: readFileSync(keyPath, "utf8"), cert: readFileSync(certPath, "utf8") };

/**
 * Tells the benchmark where the server listens.
 *
 * @param {import("node:net").Server} server
 */
export function tellPort(server) {
  const address = server.address();
  writeSync(1, `${typeof address === "object" && address !== null ? address.port : address}\n`);
}

// To end in good order is what lets `--cpu-prof` write its file.
process.on("SIGTERM", () => process.exit(0));
