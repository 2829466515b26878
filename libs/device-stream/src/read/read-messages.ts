/*
 *   read(from) ─→ where the reader starts ─→ read(some bytes before it) ─→ MessageCutter ─→ messages
 */
import type { Cursor, DeviceState, Framing, StartPoint, StreamName } from "@serialcast/contract"
import { lookBackBytes } from "@serialcast/framing"
import { type Clock, within } from "@serialcast/primitives"
import type { Device } from "../device.ts"
import { MessageCutter, type MessageEvent } from "./message-cutter.ts"
import { Reading } from "./reading.ts"

const usualLines: Framing = { type: "line", maxBytes: 4096 }

/**
 * That a port was silent is the agent's to tell: what comes later here may have been read in time. When not even that comes
 * for so much longer, in milliseconds, the message is over all the same.
 */
const lateMs = 1_000

export interface MessageOptions {
  readonly from: StartPoint
  readonly stream: StreamName
  /** The newest state of the device, which names its framing; undefined while it is not known. */
  readonly state: () => DeviceState | undefined
  /** Messages of a device without a framing. Default: lines of up to 4 KiB. */
  readonly plainLines?: Framing | undefined
  /** At the end of the reading, what there is of a message is told, cut. Default: false. */
  readonly tellsRest?: boolean | undefined
  /** Ends the reading. */
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** So far back the opening is looked for from which messages of a fixed length are counted, when the state names a later one. */
const maxAnchorBytes = 1024 * 1024
/** The state may be some bytes behind the stream. */
const minAnchorBytes = 4096

/**
 * The messages of a stream that end after a start point, each as every reader gets it, whenever it came: one that had begun
 * before is whole, or marked as cut when its begin is not kept any more. Goes on, and throws, as `Device.read`.
 */
export async function* readMessages(
  device: Pick<Device, "read">,
  options: MessageOptions,
): AsyncGenerator<MessageEvent, void, undefined> {
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const { from, stream, clock, tellsRest = false } = options
  const places = new Reading(device.read({ from, stream, signal }))
  let messages: Reading | null = null
  try {
    let start: Cursor | null = null
    while (start === null) {
      const event = await places.next()
      if (event === undefined) return
      if (event.kind !== "positioned") continue
      yield event
      start = event.cursor
    }
    const cutter = createCutter(start, options)
    messages = new Reading(device.read({ from: cutter.from, stream, signal, tellsQuiet: true }))
    // It begins before the other one ends, so that what they share of the device stays.
    void messages.begin()
    await places.end()
    yield* cutAll(messages, cutter, clock)
    if (tellsRest) yield* cutter.end()
  } finally {
    ending.abort()
    await Promise.all([places.end(), messages?.end()])
  }
}

function createCutter(
  start: Cursor,
  { stream, state, plainLines = usualLines }: MessageOptions,
): MessageCutter {
  let known = plainLines
  const framing = () => {
    const now = state()
    // A device that nobody tells of any more sends nothing that would be framed in another way.
    if (now !== undefined) known = now.framing ?? plainLines
    return known
  }
  /** Nothing opens the other direction. */
  const anchorAt = (offset: number) => (stream === "tx" ? 0 : openedBefore(state(), start.epoch, offset))
  const back = bytesBefore(framing(), start.offset, anchorAt(start.offset))
  return new MessageCutter({ framing, start, back, anchorAt })
}

async function* cutAll(
  events: Reading,
  cutter: MessageCutter,
  clock: Clock,
): AsyncGenerator<MessageEvent, void, undefined> {
  let hasAll = false
  for (;;) {
    const next = events.begin()
    const idleMs = hasAll ? cutter.idleMs : null
    if (idleMs !== null) {
      await within(next, { clock, timeoutMs: idleMs + lateMs })
      if (events.isWaiting) yield* cutter.silence()
    }
    const event = await events.next()
    if (event === undefined) return
    hasAll = event.kind === "quiet"
    yield* cutter.take(event)
  }
}

/** Where the port was opened for the byte at `offset`, as far as the state tells. */
function openedBefore(state: DeviceState | undefined, epoch: string, offset: number): number | undefined {
  const { openedAt } = state ?? {}
  return state?.epoch === epoch && openedAt !== undefined && openedAt <= offset ? openedAt : undefined
}

/** How far before its start a reader must begin. */
function bytesBefore(framing: Framing, offset: number, openedAt: number | undefined): number {
  if (framing.type !== "fixed") return lookBackBytes(framing)
  if (openedAt === undefined) return maxAnchorBytes
  const { length } = framing
  const whole = Math.ceil(minAnchorBytes / length) * length
  return Math.min(offset - openedAt, ((offset - openedAt) % length) + whole)
}
