/** Makes Node the platform of the library. Importing this file is what does it. @module */

import { installPlatform } from "../core/loop/platform.ts";
import { nodeAsyncContext } from "./platform/async-context.ts";
import { EventLoop } from "./events.ts";
import { NodeHost } from "./platform/host.ts";
import { drainMicrotasks } from "./platform/microtasks.ts";
import { listenForRejections } from "./platform/unhandled-rejections.ts";

installPlatform({
  createHost: () => new NodeHost(),
  createLoop: (host) => new EventLoop(host),
  allocate: (size) => Buffer.allocUnsafe(size),
  asyncContext: nodeAsyncContext,
  drainMicrotasks,
  listenForRejections,
});
