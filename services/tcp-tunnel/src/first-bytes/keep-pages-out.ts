/*
 *   segments ─→ held while they may be a browser's ─→ segments
 *                        └─→ onPage: nothing of them
 */
import { type Clock, createDeferred } from "@serialcast/primitives"
import { FirstBytes, type FirstBytesVerdict } from "./first-bytes.ts"

/**
 * How long first bytes are held that may still become a browser's, in milliseconds since the last of them. It sends a method
 * with its path in one packet, and all that tells TLS and STUN; a person's first key comes so much later, once. The rest of
 * a long path may be lost on the way, and is sent again, thrice in this time.
 */
const patienceMs = { maybe: 250, packet: 50, likely: 2_000, page: 0, other: 0 } as const satisfies Record<
  FirstBytesVerdict,
  number
>

/** More than that is not held: a device may get a word of any length. */
const maxHeldBytes = 64 * 1024

export interface KeepPagesOutOptions {
  readonly clock: Clock
  /** A browser has opened this connection: so many bytes of it are not delivered, and none behind them. Called once. */
  readonly onPage: (bytes: number) => void
}

/**
 * A connection's segments as they come in, unless a browser sends them. What no browser sends goes on at once. Where time
 * decided, what follows goes on at once too, but for what shows then that it was a browser after all.
 */
export async function* keepPagesOut(
  segments: AsyncGenerator<Uint8Array, void>,
  { clock, onPage }: KeepPagesOutOptions,
): AsyncGenerator<Uint8Array, void> {
  const first = new FirstBytes()
  const held: Uint8Array[] = []
  let verdict: FirstBytesVerdict = "maybe"
  let isReleased = false
  try {
    while (verdict !== "other") {
      const next = segments.next()
      if (held.length > 0 && !(await comesWithin(next, patienceMs[verdict], clock))) {
        isReleased = true
        yield* held.splice(0)
      }
      const { value, done } = await next
      if (done === true) break
      verdict = first.take(value)
      held.push(value)
      if (verdict === "page") return onPage(sizeOf(held))
      isReleased ||= sizeOf(held) > maxHeldBytes
      if (verdict === "other" || isReleased) yield* held.splice(0)
    }
    // A page may leave in the middle of its path.
    if (verdict === "likely" && held.length > 0) return onPage(sizeOf(held))
    yield* held
    yield* segments
  } finally {
    await segments.return()
  }
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((size, { byteLength }) => size + byteLength, 0)
}

/** Whether it comes in time; it is awaited by the caller. */
async function comesWithin(next: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const late = createDeferred<false>()
  using _timer = clock.startTimer(ms, () => late.resolve(false))
  return await Promise.race([next.then(() => true), late.promise])
}
