/** `npm run cluster`: BullExecutor and its workers on a real Redis, with what may happen to all three. */

import { join } from "node:path";
import { ensureBuilt, must, root } from "./setup.mjs";

ensureBuilt();
must(process.execPath, ["--test", join(root, "test", "system", "bullmq", "suite.mjs")]);
