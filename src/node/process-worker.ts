/** The main module of a worker process. It ends with whoever started it. @module */

import "./install.ts";
import { WorkerSide } from "./executors/worker-side.ts";
import type { Request } from "./executors/messages.ts";

const side = new WorkerSide((reply) => process.send!(reply));
process.on("message", (request: Request) => side.received(request));
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole group: it is for the parent to say who stops.
process.on("SIGINT", () => {});
