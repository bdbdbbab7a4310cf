/**
 * Runs a program unchanged in virtual time: when everybody sleeps, the clock jumps.
 *
 * ```sh
 * node --import ./examples/virtual-clock.mjs examples/workers.async.mjs   # five seconds, at once
 * ```
 *
 * @module
 */

import "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { getPlatform, installPlatform } from "../dist/core/loop/platform.js";

installPlatform({ ...getPlatform(), createHost: () => new VirtualHost() });
