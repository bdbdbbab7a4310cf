/** Node's async context: one `AsyncLocalStorage` for the library, and resources that capture every storage. @module */

import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { Ambient, AsyncContext } from "../../core/kernel/running.ts";
import type { Execution } from "../../core/kernel/contract.ts";

const storage = new AsyncLocalStorage<Execution>();

function newResource(): Ambient {
  return new AsyncResource("asyncio");
}

export const nodeAsyncContext: AsyncContext = {
  getStore: () => storage.getStore(),
  run: (store, fn) => storage.run(store, fn),
  capture: (store) => storage.run(store, newResource),
  captureAsIs: newResource,
};
