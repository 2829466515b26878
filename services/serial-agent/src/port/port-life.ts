import { type AppError, type PortSettings, toAppError } from "@serialcast/contract"
import type { OpenPort, PortClosed, PortDriver } from "@serialcast/ports"
import {
  type Clock,
  createBackoff,
  createDeferred,
  createWakeup,
  msSince,
  type Wakeup,
} from "@serialcast/primitives"
import { openUnlessStopped } from "./open-unless-stopped.ts"

export interface PortLifeEvents {
  onBytes(bytes: Uint8Array): void
  onOverrun(): void
  /** The port was opened for the `open`th time. */
  onOpened(port: OpenPort, open: number): void
  /** The settings of the open port were made anew. */
  onConfigured(): void
  onClosed(closed: PortClosed): void
  /** Opening failed; called again only when the sentence changes. */
  onProblem(problem: AppError): void
}

export interface PortLife {
  stop(): Promise<void>
}

export interface PortLifeDeps {
  readonly driver: PortDriver
  /** As they are to be at the next opening. */
  readonly settings: () => PortSettings
  readonly events: PortLifeEvents
  readonly clock: Clock
  readonly random?: () => number
  /** Wakes it when the port may be there now: it tries at once, and then anew from the shortest delay. */
  readonly appeared?: Wakeup
}

// A device that is plugged in again is expected back at once; looking costs one open() of a missing path.
const reopen = { minMs: 100, maxMs: 1_000 }
// A port that closes sooner than this after it opened is as broken as one that does not open.
const steadyMs = 5_000

/** Keeps a port open for as long as the device is there, and opens it again when it comes back. */
export function startPortLife({
  driver,
  settings,
  events,
  clock,
  random = Math.random,
  appeared = createWakeup(),
}: PortLifeDeps): PortLife {
  const stopping = new AbortController()
  const { signal } = stopping
  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }

  async function run(): Promise<void> {
    const backoff = createBackoff({ ...reopen, random })
    let opens = 0
    let lastProblem = ""
    while (!signal.aborted) {
      const closed = createDeferred<PortClosed>()
      const wanted = settings()
      const listener = {
        onBytes: (bytes: Uint8Array) => events.onBytes(bytes),
        onOverrun: () => events.onOverrun(),
        onClosed: closed.resolve,
      }
      try {
        const port = await openUnlessStopped({ driver, settings: wanted, listener, clock, signal })
        if (port === null) return
        lastProblem = ""
        const openedMs = clock.monotonicMs()
        events.onOpened(port, ++opens)
        if (settings() !== wanted) void changeSettings(port)
        events.onClosed(await untilClosed(port, closed.promise, signal))
        if (msSince(clock, openedMs) >= steadyMs) backoff.reset()
      } catch (error) {
        const problem = toAppError(error)
        if (problem.message !== lastProblem) events.onProblem(problem)
        lastProblem = problem.message
      }
      const timeout = { clock, ms: backoff.next() }
      if ((await appeared.wait({ signal, timeout })) === "woken") backoff.reset()
    }
  }

  /** They changed while it opened with others. If it refuses them, the next opening says why. */
  async function changeSettings(port: OpenPort): Promise<void> {
    try {
      await port.configure(settings())
      events.onConfigured()
    } catch {
      await port.close()
    }
  }
}

/** Closes it when `signal` is aborted. */
async function untilClosed(
  port: OpenPort,
  closed: Promise<PortClosed>,
  signal: AbortSignal,
): Promise<PortClosed> {
  const close = () => void port.close()
  signal.addEventListener("abort", close)
  if (signal.aborted) close()
  const how = await closed
  signal.removeEventListener("abort", close)
  return how
}
