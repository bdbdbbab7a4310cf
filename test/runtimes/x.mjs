import * as a from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
console.log(
  typeof a.NodeHost,
  typeof VirtualHost,
  await a.run(async () => {
    await a.sleep(0.01);
    return 5;
  }),
);
