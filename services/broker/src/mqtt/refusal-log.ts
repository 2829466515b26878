import { BoundedMap, type Clock, longAgo, type MonotonicMs, msSince } from "@serialcast/primitives"

/** Log lines about refused log-ins of one address are at least this far apart, in milliseconds. */
const quietMs = 60_000

// Beyond so many addresses, those heard of longest ago are news again.
const maxAddresses = 1024

/** Answers whether a refused log-in of `address` is worth a line: whoever guesses must not fill the log. */
export function createRefusalLog(clock: Clock): (address: string) => boolean {
  const loggedMs = new BoundedMap<string, MonotonicMs>(maxAddresses)
  return (address) => {
    if (msSince(clock, loggedMs.get(address) ?? longAgo) < quietMs) return false
    loggedMs.set(address, clock.monotonicMs())
    return true
  }
}
