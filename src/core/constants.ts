/** The numbers of CPython's `asyncio.constants` and `base_events`, and the few of our own. @module */

/** The cancelled timers are swept when more than this many timers are set (and more than half are cancelled). */
export const MIN_SCHEDULED_TIMER_HANDLES = 100;

/** See {@link MIN_SCHEDULED_TIMER_HANDLES}: the share of cancelled timers past which they are swept. */
export const MIN_CANCELLED_TIMER_HANDLES_FRACTION = 0.5;

/** In debug mode, a callback or a step that runs longer than this is reported, in seconds. */
export const SLOW_CALLBACK_SECONDS = 0.1;

/** In debug mode, how many lines of a creation stack are kept. */
export const DEBUG_STACK_DEPTH = 10;

/** Turns run without a pause for at most this long before I/O is let in, in seconds. */
export const PUMP_BUDGET_SECONDS = 0.01;

/** The clock is read after as many entries, and not after each turn of a few … */
export const ENTRIES_PER_LOOK_AT_CLOCK = 64;

/** … but after no more turns than this, since one entry may take long. */
export const TURNS_PER_LOOK_AT_CLOCK = 2;
