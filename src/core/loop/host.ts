/**
 * What a platform lends the loop. The loop never sleeps: it says when it wants its next turn, and its host calls it.
 * Node.js, the Web and the virtual clock of the tests are hosts, and nothing else of the loop knows which one it has.
 *
 * @module
 */

/** The two calls a host makes. Each must come from outside of any other code of the loop: from a macrotask. */
export interface HostClient {
  /** The time asked for with `requestTurn` has come. */
  turn(): void;
  /**
   * Nothing is left on this platform that could ever wake the loop.
   *
   * @param note what the reader of the error should know of the host: lines that follow it.
   */
  exhausted(note?: string): void;
  /**
   * Whether a task ends when a signal of the user's aborts. What aborts it need not keep the process, as the timer of
   * `AbortSignal.timeout()`: the program may not be over although nothing is left.
   */
  mayBeAborted(): boolean;
}

/** A platform's clock and its way to call back later. */
export interface Host {
  /** Seconds on a clock that never goes back. */
  now(): number;
  /** The smallest step of the clock, in seconds; a timer is due when it lies less than this in the future. */
  readonly clockResolution: number;
  /** The loop starts to run: calls go to `client` from now on. */
  connect(client: HostClient): void;
  /** The loop stops: no call comes any more, and whatever was requested is forgotten. */
  disconnect(): void;
  /**
   * Calls `client.turn()` once, after `delay` seconds; a later request replaces an earlier one. Zero means soon, but
   * after I/O had its chance; infinity means that only a new request can bring a turn.
   *
   * @param isExpected with infinity: an infinite sleep is pending (`sleep(Infinity)`), and the program must not end
   * because nothing is scheduled.
   */
  requestTurn(delay: number, isExpected?: boolean): void;
  /**
   * Runs what promises have ready, to the end, before it returns; `false` when the platform offers no way to do so, and
   * the loop must leave its turn to let promises go on. Called from a macrotask only.
   */
  drainMicrotasks?(): boolean;
  /**
   * What {@link drainMicrotasks} calls, when it has shown that it works: the loop then calls it directly, so that fewer
   * frames lie between an error and its callers.
   */
  provenDrain?(): (() => void) | null;
  /**
   * Calls `came` with the name of each of `signals` that the process gets, until the function returned is called. `null`
   * is Ctrl-C, for as long as the application has no handler of its own.
   *
   * @throws {RangeError} for a name that is none.
   */
  onSignal?(signals: readonly string[] | null, came: (signal: string) => void): () => void;
  /** Resolves when the signals that the process has got already have been told. */
  signalsTold?(): Promise<void>;
  /** `error` ends the program for `signal`: if nobody handles it, the process ends as one that got the signal. */
  endsProgram?(error: Error, signal: string): void;
  /** Ends the process at once, as one that got `signal`. */
  exitBySignal?(signal: string): void;
  /** Calls `callback` after `delay` seconds, without keeping the process for it, until the function returned is called. */
  afterSilence?(delay: number, callback: () => void): () => void;
  /** What else keeps the process from ending, in the platform's words: `TCPServerWrap`, `Timeout`. */
  activeResources?(): readonly string[];
  /** Whether the environment asks for debug mode. */
  readonly debug?: boolean;
}
