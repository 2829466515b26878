import { closeCodes, type FrameEvent, maxControlBytes, opcodes } from "./frame.ts"

const finBit = 0x80
const reservedBits = 0x70
const opcodeBits = 0x0f
const maskBit = 0x80
const lengthBits = 0x7f
const lengthIn16Bits = 126
const lengthIn64Bits = 127

interface FrameHead {
  readonly opcode: number
  readonly isLast: boolean
  readonly mask: Uint8Array | null
  readonly size: number
}

/**
 * Reads what a client sends, masked or not: the official command-line client masks nothing. Payloads of text and binary
 * frames are given as they come, so that it holds less than 140 bytes; those of control frames are kept apart. Behind a
 * violation or a close frame it takes nothing any more.
 */
export class FrameReader {
  /** Of a head, or of a control frame, as far as it has come. */
  readonly #pending: number[] = []
  #frame: FrameHead | null = null
  #takenOfFrame = 0
  /** Of the message that goes on in continuation frames; null: none does. */
  #message: "text" | "binary" | null = null
  #isOver = false
  #isMasked = false

  /** A frame was masked, as those of browsers are. */
  get isMasked(): boolean {
    return this.#isMasked
  }

  /** What `bytes` bring, in order. */
  push(bytes: Uint8Array): FrameEvent[] {
    const events: FrameEvent[] = []
    let at = 0
    while (at < bytes.byteLength && !this.#isOver) {
      if (this.#frame === null) {
        this.#pending.push(bytes[at] ?? 0)
        at += 1
        this.#beginFrame(events)
      } else {
        const piece = bytes.subarray(at, at + this.#frame.size - this.#takenOfFrame)
        at += piece.byteLength
        this.#takePayload(this.#frame, piece, events)
      }
    }
    return events
  }

  #beginFrame(events: FrameEvent[]): void {
    const violation = this.#violation()
    if (violation !== null) {
      this.#isOver = true
      events.push(violation)
      return
    }
    const head = parseHead(this.#pending)
    if (head === null) return
    this.#pending.length = 0
    this.#frame = head
    this.#takenOfFrame = 0
    this.#isMasked ||= head.mask !== null
    if (head.opcode === opcodes.text || head.opcode === opcodes.binary)
      this.#message = head.opcode === opcodes.text ? "text" : "binary"
    if (head.size === 0) this.#takePayload(head, new Uint8Array(0), events)
  }

  /** What is wrong with the head so far. */
  #violation(): FrameEvent | null {
    const [first = 0, second] = this.#pending
    const opcode = first & opcodeBits
    const isControl = opcode >= opcodes.close
    const isKnown = opcode <= opcodes.binary || (isControl && opcode <= opcodes.pong)
    if ((first & reservedBits) !== 0) return broken("a reserved bit is set, and no extension was agreed on")
    if (!isKnown) return broken(`there is no opcode ${opcode}`)
    if (isControl && (first & finBit) === 0) return broken("a control frame is in fragments")
    if (opcode === opcodes.continuation && this.#message === null)
      return broken("a continuation frame continues nothing")
    if (!isControl && opcode !== opcodes.continuation && this.#message !== null)
      return broken("a new message begins inside another one")
    if (second === undefined) return null
    const length = second & lengthBits
    if (isControl && length > maxControlBytes) return broken("a control frame is too long")
    if (length !== lengthIn64Bits) return null
    const message = "frames have at most 65535 bytes here"
    return { kind: "violation", code: closeCodes.tooLarge, message }
  }

  #takePayload(frame: FrameHead, piece: Uint8Array, events: FrameEvent[]): void {
    const bytes = frame.mask === null ? piece : unmask(piece, frame.mask, this.#takenOfFrame)
    this.#takenOfFrame += piece.byteLength
    const isWhole = this.#takenOfFrame === frame.size
    if (frame.opcode >= opcodes.close) {
      for (const byte of bytes) this.#pending.push(byte)
      if (isWhole) this.#endControl(frame.opcode, events)
    } else if (bytes.byteLength > 0 && this.#message !== null) events.push({ kind: this.#message, bytes })
    if (!isWhole) return
    this.#frame = null
    if (frame.isLast && frame.opcode < opcodes.close) this.#message = null
  }

  #endControl(opcode: number, events: FrameEvent[]): void {
    const payload = Uint8Array.from(this.#pending)
    this.#pending.length = 0
    if (opcode === opcodes.ping) events.push({ kind: "ping", payload })
    if (opcode !== opcodes.close) return
    this.#isOver = true
    const [high, low] = payload
    events.push({
      kind: "close",
      code: high === undefined || low === undefined ? null : (high << 8) | low,
    })
  }
}

/** null while it is not whole. */
function parseHead(bytes: readonly number[]): FrameHead | null {
  const [first = 0, second = 0, high = 0, low = 0] = bytes
  const isLong = (second & lengthBits) === lengthIn16Bits
  const isMasked = (second & maskBit) !== 0
  const maskAt = isLong ? 4 : 2
  if (bytes.length < maskAt + (isMasked ? 4 : 0)) return null
  return {
    opcode: first & opcodeBits,
    isLast: (first & finBit) !== 0,
    mask: isMasked ? Uint8Array.from(bytes.slice(maskAt)) : null,
    size: isLong ? (high << 8) | low : second & lengthBits,
  }
}

/** `at`: how much of the payload came before (RFC 6455 §5.3). */
function unmask(bytes: Uint8Array, mask: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => byte ^ (mask[(at + index) & 3] ?? 0))
}

function broken(message: string): FrameEvent {
  return { kind: "violation", code: closeCodes.protocolError, message }
}
