/** Tools to test programs written with asyncio-ts. @module */

export { VirtualHost } from "./virtual-host.ts";
