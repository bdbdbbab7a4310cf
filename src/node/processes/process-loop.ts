/**
 * The contract of a loop that has child processes. The functions for subprocesses call these methods of the running loop
 * and nothing below them, so a subclass of a loop may run its children in its own way.
 *
 * @module
 */

import type { Coroutine } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import type { SubprocessProtocol, SubprocessTransport } from "../../core/network/contracts.ts";
import type { SubprocessOptions } from "./subprocess-transport.ts";

/** A loop that has child processes. On Node.js it is `EventLoop`. */
export interface ProcessLoop extends AbstractEventLoop {
  /** Runs `program` with `args`: a transport, and the protocol that `makeProtocol` made for it. */
  subprocessExec<P extends SubprocessProtocol>(
    makeProtocol: () => P,
    program: string,
    args?: readonly string[],
    options?: SubprocessOptions,
  ): Coroutine<[SubprocessTransport, P]>;

  /** Runs a line in the shell; see {@link subprocessExec}. */
  subprocessShell<P extends SubprocessProtocol>(
    makeProtocol: () => P,
    command: string,
    options?: SubprocessOptions,
  ): Coroutine<[SubprocessTransport, P]>;
}
