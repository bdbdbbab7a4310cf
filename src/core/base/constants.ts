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

/** How long nothing may happen, with tasks that wait and no timer, before debug mode tells, in seconds. */
export const SILENCE_SECONDS = 10;

/** Two signals less than this apart are one, that came by two ways, in seconds. */
export const SAME_SIGNAL_SECONDS = 0.1;

/** How long a request to cancel may find nothing but a bare promise before debug mode tells, in seconds. */
export const UNDELIVERED_REQUEST_SECONDS = 0.2;

/** How many awaits in one entry of the loop may be answered at once before the next one gives way. */
export const AWAIT_BUDGET = 10_000;

/** The clock is read after as many entries, and not after each turn of a few … */
export const ENTRIES_PER_LOOK_AT_CLOCK = 64;

/** … but after no more turns than this, since one entry may take long. */
export const TURNS_PER_LOOK_AT_CLOCK = 2;

/** How many bytes a stream reader holds before it asks the peer to wait, in bytes; twice as many are the most. */
export const STREAM_LIMIT: number = 64 * 1024;

/** From this many writes to a lost connection on, each is warned of. */
export const LOG_THRESHOLD_FOR_CONNLOST_WRITES = 5;

/** How long a TLS handshake may take, in seconds: nginx's number. */
export const SSL_HANDSHAKE_TIMEOUT = 60;

/** How long the peer may take to answer the end of a TLS connection, in seconds: nginx's number. */
export const SSL_SHUTDOWN_TIMEOUT = 30;

/** The high-water mark of what a TLS connection has to send, in bytes. */
export const FLOW_CONTROL_HIGH_WATER_SSL_WRITE: number = 512 * 1024;

/** How much of a file is read at a time, in bytes. */
export const SENDFILE_FALLBACK_READBUFFER_SIZE: number = 256 * 1024;
