/** What a loop has open and gives up when it is closed. @module */

/** Something of the system's that a loop has open: a connection, a server, a child process. */
export interface Resource {
  isClosing(): boolean;
  /** @internal The loop is closed: gives it up at once, without a word to anybody. */
  _abandon(): void;
}
