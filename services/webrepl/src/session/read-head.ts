import type { Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import { readSocket } from "@serialcast/service-kit"
import { HeadReader } from "../handshake/head-reader.ts"
import { type Head, judgeHead } from "../handshake/judge-head.ts"

/** For a whole head, in milliseconds, from the connection on. */
const headMs = 20_000

export interface ReadHead {
  readonly head: Head
  /** Of which it was read. */
  readonly lines: readonly string[]
  /** What came behind it. */
  readonly rest: Uint8Array
}

/**
 * Reads the head that a client sends first; null when it ends before. Throws `too_slow` and `headers_too_large`. `signal`: the
 * socket is closed.
 */
export async function readHead(
  socket: Socket,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ReadHead | null> {
  const late = new AbortController()
  using _timer = clock.startTimer(headMs, () => late.abort())
  const reader = new HeadReader()
  for await (const bytes of readSocket(socket, AbortSignal.any([signal, late.signal]))) {
    const progress = reader.push(bytes)
    if (progress.kind === "head") {
      const { lines, rest } = progress
      return { head: judgeHead(lines), lines, rest }
    }
    if (progress.kind === "too-large")
      throw new AppError("headers_too_large", "The request line and headers are too large.")
  }
  if (late.signal.aborted) throw new AppError("too_slow", "The request did not come in time.")
  return null
}
