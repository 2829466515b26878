import type { Server } from "node:net"
import { type Clock, createDeferred, systemClock } from "@serialcast/primitives"
import { endConnections } from "./listen.ts"

export interface CloseOptions {
  /** How long open connections may finish what they are doing, in milliseconds. */
  readonly graceMs?: number
  readonly clock?: Clock
}

/** Stops accepting, lets open connections finish for `graceMs`, then ends them. For servers started by `listen`. */
export async function closeServer(
  server: Server,
  { graceMs = 250, clock = systemClock }: CloseOptions = {},
): Promise<void> {
  const closed = createDeferred<void>()
  // The only error is that the server was not listening, which is what is wanted.
  server.close(() => closed.resolve())
  using _timer = clock.startTimer(graceMs, () => server.emit(endConnections))
  await closed.promise
}
