/** The clocks of the tour: faster than yours for the programs, virtual for the tests. @module */

import { BaseEventLoop, NodeHost } from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";

/** How many seconds a program of the tour lives through in one of yours. */
export const SPEED = 3;

/** A loop asks its host for the time and for its turns; a host that multiplies the one and divides the other hurries. */
class HurriedHost extends NodeHost {
  now() {
    return super.now() * SPEED;
  }

  /** @param {number} delay */
  requestTurn(delay) {
    super.requestTurn(delay / SPEED);
  }
}

/**
 * A new loop.
 *
 * @param {"real" | "hurried" | "virtual"} clock
 * @returns {BaseEventLoop}
 */
export function newLoop(clock) {
  if (clock === "virtual") return new BaseEventLoop(new VirtualHost());
  return new BaseEventLoop(clock === "real" ? new NodeHost() : new HurriedHost());
}
