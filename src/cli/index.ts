/** The command line, as `bin/asyncio-ts.mjs` starts it. @module */

export { main } from "./main.ts";
