/** `npm start`: the tour. @module */

import { ensureBuilt } from "./setup.mjs";

ensureBuilt();
await import("../examples/tour/main.mjs");
