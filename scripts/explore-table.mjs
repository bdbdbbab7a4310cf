/**
 * `npm run explore:table`: how many schedules each policy of `explore` needs for each of the planted bugs of
 * `test/unit/testing/explore/corpus`, as a table in Markdown.
 *
 * @module
 */

import { ensureInstalled, must, tool } from "./setup.mjs";

ensureInstalled();
must(tool("vitest"), ["run", "--project", "asyncio-ts", "--typecheck=false", "--silent=false", "explore/table"], {
  env: { ...process.env, EXPLORE_TABLE: "1" },
});
