import { concatBytes } from "@serialcast/primitives"
import { encodeText } from "./surface.ts"

/** First bytes of packets of MQTT 3.1.1 (2.2.1), with the flags that they must have. */
export const packetTypes = {
  connect: 0x10,
  publish: 0x30,
  subscribe: 0x82,
  unsubscribe: 0xa2,
  pingreq: 0xc0,
  disconnect: 0xe0,
} as const

/** A packet of any first byte, with the length of `parts` in as few bytes as it takes (2.2.3). */
export function encodePacket(first: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts)
  const length: number[] = []
  let rest = content.byteLength
  do {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    rest >>= 7
  } while (rest > 0)
  return concatBytes([Uint8Array.of(first, ...length), content])
}

/** A string with its length in two bytes (1.5.3). */
export function encodeString(text: string): Uint8Array {
  return encodeField(encodeText(text))
}

export function encodeField(bytes: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(bytes.byteLength >> 8, bytes.byteLength & 0xff), bytes])
}

/** A clean session without a will. */
export function connectPacket(client: string): Uint8Array {
  return encodePacket(
    packetTypes.connect,
    encodeString("MQTT"),
    Uint8Array.of(4, 2, 0, 60),
    encodeString(client),
  )
}

export function subscribePacket(topic: string, qos = 0): Uint8Array {
  return encodePacket(packetTypes.subscribe, Uint8Array.of(0, 1), encodeString(topic), Uint8Array.of(qos))
}

export interface PublishOptions {
  /** DUP, QoS and RETAIN (3.3.1). */
  readonly flags?: number
}

export function publishPacket(
  topic: Uint8Array,
  payload: Uint8Array,
  { flags = 0 }: PublishOptions = {},
): Uint8Array {
  const id = (flags & 6) === 0 ? new Uint8Array() : Uint8Array.of(0, 7)
  return encodePacket(packetTypes.publish | flags, encodeField(topic), id, payload)
}

/** The payloads of the whole PUBLISH packets with QoS 0 in what a broker sent. */
export function publishedPayloads(received: Uint8Array): readonly Uint8Array[] {
  const payloads: Uint8Array[] = []
  for (let at = 0; at < received.byteLength; ) {
    const { head, length } = lengthAt(received, at + 1)
    const start = at + 1 + head
    const content = received.subarray(start, start + length)
    if (content.byteLength < length) break
    const [high = 0, low = 0] = content
    if (received[at] === packetTypes.publish) payloads.push(content.subarray(2 + (high << 8) + low))
    at = start + length
  }
  return payloads
}

function lengthAt(bytes: Uint8Array, at: number): { readonly head: number; readonly length: number } {
  let length = 0
  let head = 0
  for (let byte = 0x80; byte & 0x80; head++) {
    byte = bytes[at + head] ?? 0
    length |= (byte & 0x7f) << (7 * head)
  }
  return { head, length }
}
