declare const kind: unique symbol

/**
 * Time of day, in milliseconds since 1970. Somebody may set it, forwards or back: it says when something happened, and
 * measures nothing.
 */
export type WallMs = number & { readonly [kind]: "wall, ms" }

/** Time of day, in whole microseconds since 1970; fits a safe integer until the year 2255. */
export type WallUs = number & { readonly [kind]: "wall, µs" }

/**
 * Milliseconds since the machine started, with fractions: never set, and standing still while the machine is suspended.
 * On Linux it is CLOCK_MONOTONIC (clock_gettime(2)), so processes may compare theirs until the next boot. A browser counts
 * from the opening of the page.
 */
export type MonotonicMs = number & { readonly [kind]: "monotonic, ms" }
