/** Makes Node the platform of the library. Importing this file is what does it. @module */

import { installPlatform } from "../core/platform.ts";
import { nodeAsyncContext } from "./async-context.ts";
import { NodeHost } from "./host.ts";
import { drainMicrotasks } from "./microtasks.ts";

installPlatform({ createHost: () => new NodeHost(), asyncContext: nodeAsyncContext, drainMicrotasks });
