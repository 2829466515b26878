import { type Cursor, type Framing, formatCursor, type StartPoint } from "@serialcast/contract"
import { createFramer, type Frame, type Framer } from "@serialcast/framing"
import { chunkFrom, comparePositions } from "@serialcast/records"
import type { QuietEvent, StreamEvent } from "./stream-event.ts"

type Told<K extends StreamEvent["kind"]> = Extract<StreamEvent, { readonly kind: K }>

/** What a reader of messages gets: each message once and in order, and what `read` tells beside the bytes. */
export type MessageEvent =
  | Told<"positioned">
  | Told<"gap">
  /** `isInside`: a message has begun before it and is still to come, so whoever resumes after the mark misses its begin. */
  | (Told<"mark"> & { readonly isInside: boolean })
  | {
      readonly kind: "message"
      /** After all that belongs to it: where a reader resumes that has it. */
      readonly cursor: Cursor
      /** Of its first byte. */
      readonly offset: number
      readonly timeUs: number
      /** Without what marked its end. */
      readonly bytes: Uint8Array
      /** It is not known to be what the device sent as one message. */
      readonly isCut: boolean
    }

export interface MessageCutterOptions {
  /** As it is now: a new configuration may change it. */
  readonly framing: () => Framing
  /** Where the reader starts: messages that end after it are told. */
  readonly start: Cursor
  /** So many bytes before it are given to the cutter too, if there are as many. */
  readonly back: number
  readonly anchorAt: (offset: number) => number | undefined
}

/**
 * Cuts a stream into messages for one reader. It is given what stands before the reader's start too, as far as a message may
 * reach back: so that the first message is the one that every other reader gets, or marked as cut.
 */
export class MessageCutter {
  readonly #options: MessageCutterOptions
  readonly #start: Cursor
  readonly #first: number
  #framing: Framing
  #framer: Framer
  #epoch: string
  #isStarted = false

  constructor(options: MessageCutterOptions) {
    const { framing, start, back } = options
    this.#options = options
    this.#start = start
    this.#first = Math.max(0, start.offset - back)
    this.#framing = framing()
    this.#framer = this.#createFramer({ startsInside: this.#first > 0 })
    this.#epoch = start.epoch
  }

  /** Where the events begin that it is to be given. */
  get from(): StartPoint {
    const { epoch } = this.#start
    return { kind: "cursor", cursor: { epoch, offset: this.#first, mark: 0 } }
  }

  /** A message that has begun ends with a silence of this length; null: it does not, or none has begun. */
  get idleMs(): number | null {
    return this.#framer.isHolding ? this.#framer.idleMs : null
  }

  take(event: StreamEvent | QuietEvent): MessageEvent[] {
    const former = this.#followFraming()
    const told = this.#takeOne(event)
    return former.length === 0 ? told : [...former, ...told]
  }

  /** Nothing more is read. */
  end(): MessageEvent[] {
    return this.#tell(this.#framer.flush({ kind: "lost" }))
  }

  #takeOne(event: StreamEvent | QuietEvent): MessageEvent[] {
    switch (event.kind) {
      case "quiet":
        return event.timeUs === null ? [] : this.#tell(this.#framer.quiet(event.timeUs))
      case "positioned":
        return []
      case "bytes":
        return this.#takeBytes(event)
      case "mark":
        return this.#takeMark(event)
      case "gap":
        return this.#takeGap(event)
    }
  }

  /** Nothing came for so long that the message that has begun must be over. */
  silence(): MessageEvent[] {
    return this.#tell(this.#framer.flush("silence"))
  }

  #createFramer({ startsInside }: { readonly startsInside: boolean }): Framer {
    return createFramer(this.#framing, { startsInside, anchorAt: this.#options.anchorAt })
  }

  /** A device whose framing is another one now: what follows may be in the middle of a message, until the port is opened. */
  #followFraming(): MessageEvent[] {
    const framing = this.#options.framing()
    if (framing === this.#framing) return []
    const isSame = JSON.stringify(framing) === JSON.stringify(this.#framing)
    this.#framing = framing
    if (isSame) return []
    const cut = this.#tell(this.#framer.flush({ kind: "lost" }))
    this.#framer = this.#createFramer({ startsInside: true })
    return cut
  }

  #takeBytes(event: Told<"bytes">): MessageEvent[] {
    const { offset, bytes, cursor } = event
    const had = this.#isStarted || cursor.epoch !== this.#start.epoch ? 0 : this.#start.offset - offset
    if (had >= bytes.byteLength) return this.#tell(this.#framer.push(bytes, event))
    if (had > 0) this.#framer.push(bytes.subarray(0, had), event)
    this.#begin(cursor.epoch)
    if (had <= 0) return this.#tell(this.#framer.push(bytes, event))
    return this.#tell(this.#framer.push(bytes.subarray(had), chunkFrom(event, this.#start.offset)))
  }

  #takeMark(event: Told<"mark">): MessageEvent[] {
    const isHad = this.#isBefore(event.cursor)
    if (!isHad) this.#begin(event.cursor.epoch)
    const cut = this.#tell(this.#framer.mark(event))
    return isHad ? [] : [...cut, { ...event, isInside: this.#framer.isHolding }]
  }

  #takeGap(event: Told<"gap">): MessageEvent[] {
    const { cursor, gap } = event
    // What nobody read stands at a place, before the mark that ends it; what is not kept, before its end.
    const isAtStart = gap.reason === "unread" && comparePositions(cursor, this.#start) === 0
    const isHad = this.#isBefore(cursor) && !isAtStart
    const isAcross = !this.#isStarted && !isHad && gap.reason === "evicted"
    if (!isHad) this.#begin(this.#epoch)
    // What nobody read is before the mark that says how so; a message that has begun is told before both.
    const kind = gap.reason === "unread" ? "closed" : "lost"
    const cut = this.#tell(this.#framer.flush({ kind }))
    this.#epoch = cursor.epoch
    if (gap.reason === "evicted" && cursor.offset === 0)
      this.#framer = this.#createFramer({ startsInside: false })
    if (isHad) return []
    return [...cut, isAcross ? { ...event, gap: gapFrom(this.#start, event) } : event]
  }

  /** Whether the reader has what ends there. */
  #isBefore(end: Cursor): boolean {
    return !this.#isStarted && end.epoch === this.#start.epoch && comparePositions(end, this.#start) <= 0
  }

  /** What comes now is after the start. */
  #begin(epoch: string): void {
    this.#epoch = epoch
    if (this.#isStarted) return
    this.#isStarted = true
    if (epoch === this.#start.epoch) this.#framer.skipTo(this.#start.offset)
  }

  #tell(frames: readonly Frame[]): MessageEvent[] {
    const { epoch } = this.#start
    const isNew = ({ end }: Frame) => this.#epoch !== epoch || end > this.#start.offset
    return frames.filter(isNew).map(({ end, ...frame }) => ({
      kind: "message",
      cursor: { epoch: this.#epoch, offset: end, mark: 0 },
      ...frame,
    }))
  }
}

/** The part of a gap that is after the start. */
function gapFrom(start: Cursor, { cursor, gap }: Told<"gap">): Told<"gap">["gap"] {
  const bytes = gap.bytes === null || cursor.epoch !== start.epoch ? null : cursor.offset - start.offset
  return { ...gap, from: formatCursor(start), bytes }
}
