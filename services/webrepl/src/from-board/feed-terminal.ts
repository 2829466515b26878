/*
 *   device.read() ─→ text joiner ─→ client      at the client's pace; silent while a transfer has the board
 */
import type { Cursor, StartPoint } from "@serialcast/contract"
import type { Device, StreamEvent } from "@serialcast/device-stream"
import { type Clock, createWakeup } from "@serialcast/primitives"
import type { Transfers } from "../session/transfers.ts"
import { TextJoiner } from "../terminal/text-joiner.ts"

/** How long a character may wait for its rest, in milliseconds: longer than a chunk is on its way, too short to be seen. */
const restMs = 250

/** What a board shows when it is ready for input. */
const prompt = ">>> "

export interface TerminalFeedOptions {
  readonly device: Device
  readonly clock: Clock
  readonly transfers: Transfers
  /** Sends one text frame; resolves when the client has room for the next. */
  readonly send: (text: Uint8Array) => Promise<void>
  /** Says something that is not the board's. */
  readonly notify: (sentence: string) => Promise<void>
  /** Ends the feed. */
  readonly signal: AbortSignal
}

/** Sends what a board says from now on, until `signal` is aborted. Throws as `Device.read`. */
export async function feedTerminal(options: TerminalFeedOptions): Promise<void> {
  const { transfers, signal, send } = options
  let from: StartPoint = { kind: "now" }
  while (!signal.aborted) {
    const last = await feedUntilTransfer(from, options)
    await transfers.untilNone(signal)
    if (signal.aborted) return
    // One that was refused has said nothing that is to be kept from the user.
    from = transfers.hadBoard || last === null ? { kind: "now" } : { kind: "cursor", cursor: last }
    // The board is at its prompt again, which it has shown while nobody listened.
    if (transfers.hadBoard) await send(new TextEncoder().encode(`\r\n${prompt}`))
  }
}

/** Answers the place behind what was sent. */
async function feedUntilTransfer(from: StartPoint, options: TerminalFeedOptions): Promise<Cursor | null> {
  const { device, clock, transfers, send, signal } = options
  const pause = new AbortController()
  const forget = transfers.onChange(() => transfers.isRunning && pause.abort())
  if (transfers.isRunning) pause.abort()
  const joiner = new TextJoiner()
  const came = createWakeup()
  const sendAll = async (texts: readonly Uint8Array[]) => {
    for (const text of texts) await send(text)
  }
  const ending = AbortSignal.any([signal, pause.signal])
  const rest = { signal: ending, timeout: { clock, ms: restMs } }
  let last: Cursor | null = null
  try {
    for await (const event of device.read({ from, signal: ending })) {
      came.wake()
      if (event.kind === "bytes") await sendAll(joiner.push(event.bytes))
      else await tell(event, () => sendAll(joiner.flush()), options)
      last = event.cursor
      if (joiner.isHolding) void flushLater(joiner, sendAll, came.wait(rest))
    }
    await sendAll(joiner.flush())
  } finally {
    forget()
  }
  return last
}

/** Gives up on the rest of a character when nothing came for a while. */
async function flushLater(
  joiner: TextJoiner,
  sendAll: (texts: readonly Uint8Array[]) => Promise<void>,
  rest: Promise<"woken" | "timeout" | "aborted">,
): Promise<void> {
  if ((await rest) === "timeout") await sendAll(joiner.flush())
}

async function tell(
  event: Exclude<StreamEvent, { kind: "bytes" }>,
  endCharacter: () => Promise<void>,
  { notify }: TerminalFeedOptions,
): Promise<void> {
  if (event.kind === "positioned") return
  await endCharacter()
  if (event.kind === "gap") {
    const { bytes } = event.gap
    await notify(
      bytes === null ? "bytes of the board are missing here" : `${bytes} bytes of the board are missing here`,
    )
  } else if (event.mark.kind === "closed") await notify("the board was unplugged")
  else if (event.mark.kind === "opened") await notify("the board is there")
}
