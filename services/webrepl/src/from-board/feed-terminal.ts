/*
 *   device.read() ─→ veil ─→ text joiner ─→ client      at the client's pace; what programs say to the board is left out
 */
import { type DeviceState, describeVeil } from "@serialcast/contract"
import { type Device, type TerminalEvent, veiled } from "@serialcast/device-stream"
import { type Clock, createWakeup } from "@serialcast/primitives"
import { TextJoiner } from "../terminal/text-joiner.ts"

/** How long a character may wait for its rest, in milliseconds: longer than a chunk is on its way, too short to be seen. */
const restMs = 250

export interface TerminalFeedOptions {
  readonly device: Device
  /** The board's newest state. */
  readonly state: () => DeviceState | undefined
  readonly clock: Clock
  /** Sends one text frame; resolves when the client has room for the next. */
  readonly send: (text: Uint8Array) => Promise<void>
  /** What comes from now on is sent. */
  readonly onPositioned: () => void
  /** Says something that is not the board's. */
  readonly notify: (sentence: string) => Promise<void>
  /** Ends the feed. */
  readonly signal: AbortSignal
}

/** Sends what a board says from now on, until `signal` is aborted. Throws as `Device.read`. */
export async function feedTerminal(options: TerminalFeedOptions): Promise<void> {
  const { device, state, clock, send, signal } = options
  const joiner = new TextJoiner()
  const came = createWakeup()
  const sendAll = async (texts: readonly Uint8Array[]) => {
    for (const text of texts) await send(text)
  }
  const rest = { signal, timeout: { clock, ms: restMs } }
  for await (const event of veiled(device.read({ from: { kind: "now" }, signal }), state)) {
    came.wake()
    if (event.kind === "bytes") await sendAll(joiner.push(event.bytes))
    else await tell(event, () => sendAll(joiner.flush()), options)
    if (joiner.isHolding) void flushLater(joiner, sendAll, came.wait(rest))
  }
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
  event: Exclude<TerminalEvent, { kind: "bytes" }>,
  endCharacter: () => Promise<void>,
  { notify, onPositioned }: TerminalFeedOptions,
): Promise<void> {
  if (event.kind === "positioned") return onPositioned()
  await endCharacter()
  switch (event.kind) {
    case "gap": {
      const { bytes } = event.gap
      const size = bytes === null ? "bytes" : `${bytes} bytes`
      return await notify(`${size} of the board are missing here`)
    }
    case "mark":
      if (event.mark.kind === "closed") await notify("the board was unplugged")
      if (event.mark.kind === "opened") await notify("the board is there")
      return
    case "drawn":
    case "lifted":
      await notify(describeVeil(event))
  }
}
