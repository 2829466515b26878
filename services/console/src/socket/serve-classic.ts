/*
 *   device.read() ─→ line splitter ─→ paced socket ─→ client      one text frame for each line
 *   device.write() ←─ write lane ←─────── frames ←── client      as they are, no line end added
 */
import { AppError, describeVeil, type Gap, toAppError } from "@serialcast/contract"
import { type TerminalEvent, veiled } from "@serialcast/device-stream"
import { after, type MonotonicMs, msUntil, type Timer } from "@serialcast/primitives"
import { createLineSplitter, type LineSplitter } from "./line-splitter.ts"
import { toBytes } from "./raw-data.ts"
import { closeCodes, closeFailed, type ServeDeviceOptions, type ServedSocket } from "./served-socket.ts"
import { createWriteLane } from "./write-lane.ts"

const maxLineLength = 64 * 1024

/**
 * After this pause an unfinished line is sent as a frame, in milliseconds. A prompt (`login: `) never gets its LF, so
 * it must come, and soon; but the protocol cannot say that a frame goes on in the next one, so a line that merely
 * travels slowly should not be torn. A quarter of a second is quick for an eye and long for a network.
 */
const promptMs = 250

/**
 * An unfinished line waits no longer than this after its first byte, in milliseconds, while the device goes on: progress
 * that is rewritten with CR has no LF for minutes.
 */
const patienceMs = 1_000

/** Serves one socket without a sub-protocol: the classic text console. */
export function serveClassic(options: ServeDeviceOptions): ServedSocket {
  const { socket, devices, address, metrics, memory, by } = options
  const lane = createWriteLane({
    device: devices.device(address),
    by,
    onHeld: (bytes) => memory.waits(bytes),
    setPaused: (isPaused) => (isPaused ? socket.pause() : socket.resume()),
    async report(_, outcome) {
      metrics.countWrite(outcome)
      // There are no receipts here. What was sent and did not arrive must not look as if it did.
      if (!(outcome instanceof AppError)) return
      lane.refuseRest()
      closeFailed(options, outcome)
    },
  })
  socket.on("message", (data) => lane.submit("", { bytes: toBytes(data) }))
  return { ended: sendLines(options), lane }
}

async function sendLines(options: ServeDeviceOptions): Promise<void> {
  const { paced, devices, address, from, clock } = options
  const splitter = createLineSplitter({ maxLength: maxLineLength })
  /** When the unfinished line began; null: there is none. */
  let sinceMs: MonotonicMs | null = null
  let wait: Timer | null = null
  // One frame at most is sent past the loop's waiting: the line that was unfinished when its time was over.
  const flush = () => {
    sinceMs = null
    void sendAll(options, splitter.flush())
  }
  try {
    await paced.send("connected")
    const events = devices.device(address).read({ from, signal: paced.closed })
    for await (const event of veiled(events, () => devices.devices.get(address))) {
      wait?.cancel()
      const nowMs = clock.monotonicMs()
      const lines = linesOf(splitter, event)
      if (lines.length > 0 || !splitter.isHolding) sinceMs = null
      if (splitter.isHolding) sinceMs ??= nowMs
      await sendAll(options, lines)
      if (event.kind === "gap" && event.gap.reason === "evicted") return closeAtGap(options, event.gap)
      if (sinceMs === null) continue
      const leftMs = msUntil(clock, after(sinceMs, patienceMs))
      wait = clock.startTimer(Math.min(promptMs, Math.max(0, leftMs)), flush)
    }
  } catch (error) {
    closeFailed(options, toAppError(error))
  } finally {
    wait?.cancel()
  }
}

function linesOf(splitter: LineSplitter, event: TerminalEvent): string[] {
  switch (event.kind) {
    case "bytes":
      return splitter.push(event.bytes)
    case "positioned":
      return []
    case "drawn":
      return [...splitter.end(), `-- ${describeVeil(event)}`]
    case "lifted":
      return [`-- ${describeVeil(event)}`]
    case "mark":
    case "gap":
      // The port was closed or opened, or not read: what comes now does not belong to the line before.
      return splitter.end()
  }
}

async function sendAll({ paced }: ServeDeviceOptions, lines: readonly string[]): Promise<void> {
  for (const line of lines) await paced.send(line)
}

/** This transport cannot say that bytes are missing, and silence would be a lie. */
function closeAtGap({ paced }: ServeDeviceOptions, { bytes }: Gap): void {
  const size = bytes === null ? "bytes" : `${bytes} bytes`
  paced.close(closeCodes.failed, `gap: ${size} of the device are no longer kept`)
}
