import type { PortSettings } from "@serialcast/contract"
import type { OpenPort, PortDriver, PortListener } from "@serialcast/ports"
import { type Clock, createDeferred, type Timer } from "@serialcast/primitives"

// An opening may hang for as long as a network or an adapter does, and an agent has 5 s to stop.
const maxOpeningMs = 1_000

export interface Opening {
  readonly driver: PortDriver
  readonly settings: PortSettings
  readonly listener: PortListener
  readonly clock: Clock
  /** Stops it. */
  readonly signal: AbortSignal
}

/**
 * Opens a port. null when that takes more than a second from the stop on: a port that is there later is closed at once, and
 * tells nothing. Throws what the driver throws.
 */
export async function openUnlessStopped(opening: Opening): Promise<OpenPort | null> {
  const { driver, settings, listener } = opening
  let isGivenUp = false
  const opened = driver.open(settings, {
    onBytes(bytes) {
      if (!isGivenUp) listener.onBytes(bytes)
    },
    onOverrun() {
      if (!isGivenUp) listener.onOverrun()
    },
    onClosed(closed) {
      if (!isGivenUp) listener.onClosed(closed)
    },
  })
  const port = await untilGivenUp(opened, opening)
  if (port !== null) return port
  isGivenUp = true
  opened.then(
    (late) => late.close(),
    () => {},
  )
  return null
}

async function untilGivenUp(
  opened: Promise<OpenPort>,
  { clock, signal }: Pick<Opening, "clock" | "signal">,
): Promise<OpenPort | null> {
  const givenUp = createDeferred<null>()
  let timer: Timer | undefined
  const giveUpSoon = () => {
    timer = clock.startTimer(maxOpeningMs, () => givenUp.resolve(null))
  }
  signal.addEventListener("abort", giveUpSoon)
  try {
    return await Promise.race([opened, givenUp.promise])
  } finally {
    signal.removeEventListener("abort", giveUpSoon)
    timer?.cancel()
  }
}
