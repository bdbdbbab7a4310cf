/**
 * How many are many. Enough that a recursion overflows the stack and work in proportion to the square shows; with
 * `CROWD=100000`, as CI has it once, such work runs into the limit of time.
 */
export const CROWD = Number(process.env["CROWD"] ?? 20_000);
