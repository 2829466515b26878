import { concatBytes } from "@serialcast/primitives"

export interface FrameOptions {
  readonly opcode: number
  readonly isFinal?: boolean
  /** The three bits that no extension of ours uses. */
  readonly reserved?: number
  readonly isMasked?: boolean
  /** What the head says; default: the truth, in as few bytes as it takes. */
  readonly announced?: bigint
}

/** A frame of RFC 6455 §5.2, whether it may be sent or not. */
export function encodeFrame(payload: Uint8Array, options: FrameOptions): Uint8Array {
  const { opcode, isFinal = true, reserved = 0, isMasked = true, announced } = options
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  const mask = isMasked ? Uint8Array.of(0x12, 0x34, 0x56, 0x78) : new Uint8Array()
  const body = isMasked ? payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : payload
  return concatBytes([Uint8Array.of(first), lengthOf(payload.byteLength, isMasked, announced), mask, body])
}

function lengthOf(length: number, isMasked: boolean, announced: bigint | undefined): Uint8Array {
  const flag = isMasked ? 0x80 : 0
  if (announced === undefined && length < 126) return Uint8Array.of(flag | length)
  const long = announced ?? BigInt(length)
  const bytes = new Uint8Array(9)
  const view = new DataView(bytes.buffer)
  if (announced === undefined && length < 65_536) {
    view.setUint8(0, flag | 126)
    view.setUint16(1, length)
    return bytes.subarray(0, 3)
  }
  view.setUint8(0, flag | 127)
  view.setBigUint64(1, long)
  return bytes
}

export interface HandshakeOptions {
  readonly target: string
  readonly protocol: string | null
  /** In place of, or beside, the ones that belong there. */
  readonly more?: readonly string[]
}

export function handshake({ target, protocol, more = [] }: HandshakeOptions): string {
  const lines = [
    `GET ${target} HTTP/1.1`,
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: c2VyaWFsY2FzdC1iZW5jaA==",
    ...(protocol === null ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...more,
    "",
    "",
  ]
  return lines.join("\r\n")
}

/** The payloads of a server's whole binary frames, behind its answer to the handshake. */
export function binaryPayloads(received: Uint8Array): readonly Uint8Array[] {
  const payloads: Uint8Array[] = []
  const view = new DataView(received.buffer, received.byteOffset, received.byteLength)
  for (let at = indexAfterHead(received); at + 10 <= received.byteLength; ) {
    const short = view.getUint8(at + 1)
    const head = short === 127 ? 10 : short === 126 ? 4 : 2
    const length =
      short === 127 ? Number(view.getBigUint64(at + 2)) : short === 126 ? view.getUint16(at + 2) : short
    const end = at + head + length
    if (end > received.byteLength) break
    if (view.getUint8(at) === 0x82) payloads.push(received.subarray(at + head, end))
    at = end
  }
  return payloads
}

function indexAfterHead(received: Uint8Array): number {
  const found = new TextDecoder("latin1").decode(received).indexOf("\r\n\r\n")
  return found === -1 ? received.byteLength : found + 4
}
