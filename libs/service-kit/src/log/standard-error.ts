import { constants, fstatSync, openSync, writeSync } from "node:fs"
import { Socket } from "node:net"
import { isatty } from "node:tty"
import { systemClock } from "@serialcast/primitives"
import { createLineSink, type LineSink } from "./line-sink.ts"

const standardError = 2

/**
 * Standard error as a target that never makes the process wait, neither while it runs nor at its end: a terminal may
 * be stopped (Ctrl-S, a stalled ssh), and the reader of a pipe may stand still.
 */
export function createStandardErrorSink({ onDropped }: { onDropped: (lines: number) => void }): LineSink {
  const descriptor = openWithoutWaiting()
  const write = (bytes: Uint8Array) => {
    try {
      return writeSync(descriptor, bytes)
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0
      throw error
    }
  }
  const sink = createLineSink({ write, clock: systemClock, onDropped })
  process.once("exit", () => sink.flush())
  return sink
}

/**
 * A descriptor of standard error whose writes answer EAGAIN instead of waiting. Terminals and pipes are opened once
 * more, as the flag belongs to the open file, which other processes share. Writes from libuv's threads would not do:
 * a process waits for those threads when it ends.
 */
function openWithoutWaiting(): number {
  const kind = fstatSync(standardError)
  if (isatty(standardError) || kind.isFIFO()) {
    try {
      return openSync("/proc/self/fd/2", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch {
      // It belongs to another user (su), or the system has no /proc. Pipes are served below; a terminal then can
      // make writes wait.
    }
  }
  // Sockets cannot be opened again. Wrapping the descriptor sets the flag, and `process.stderr` is no substitute: it may
  // be older than a child process that inherited the descriptor, for which libuv clears the flag. Files need none.
  if (kind.isFIFO() || kind.isSocket()) new Socket({ fd: standardError, readable: false }).unref()
  return standardError
}
