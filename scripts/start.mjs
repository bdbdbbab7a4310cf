/** `npm start`: the tour. @module */

import { ensureBuilt, may } from "./setup.mjs";

ensureBuilt();
process.exitCode = may(process.execPath, ["examples/tour/main.mjs", ...process.argv.slice(2)]);
