/** The main module of a worker thread. @module */

import { parentPort } from "node:worker_threads";
import "./install.ts";
import { WorkerSide } from "./executors/worker-side.ts";
import type { Request } from "./executors/messages.ts";

const port = parentPort!;
const side = new WorkerSide((reply) => port.postMessage(reply));
port.on("message", (request: Request) => side.received(request));
