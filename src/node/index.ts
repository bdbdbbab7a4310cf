/**
 * asyncio-ts for Node.js, Bun and Deno.
 *
 * # Layout
 *
 * - `platform`: makes Node the platform, from `async-context`, `host` and `microtasks`.
 * - everything else is `core`.
 *
 * @module
 */

import "./platform.ts";

export * from "../core/index.ts";
export { NodeHost } from "./host.ts";
