import { concatBytes, decodeHex } from "@serialcast/primitives"

/** Bytes of hex digits with spaces anywhere; for tests. */
export function hex(text: string): Uint8Array {
  const bytes = decodeHex(text.replaceAll(" ", ""))
  if (bytes === undefined) throw new RangeError(`expected hex digits, found ${JSON.stringify(text)}`)
  return bytes
}

export function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** The bytes whole, cut in two at every place, and one by one; for tests. */
export function segmentations(bytes: Uint8Array): Uint8Array[][] {
  const halves = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
  return [[bytes], ...halves, Array.from(bytes, (byte) => Uint8Array.of(byte))]
}

interface AnyEvent {
  readonly kind: string
  readonly reason?: string
  readonly bytes?: Uint8Array | number
}

/** Events as they would be of one segment: data that follows data is one event, and so is what is discarded; for tests. */
export function joinEvents<Event extends AnyEvent>(events: readonly Event[]): Event[] {
  const joined: Event[] = []
  for (const event of events) {
    const last = joined.at(-1)
    const isSame = last !== undefined && last.kind === event.kind && last.reason === event.reason
    const bytes = isSame ? joinBytes(last.bytes, event.bytes) : undefined
    if (bytes === undefined) joined.push(event)
    else joined[joined.length - 1] = { ...event, bytes }
  }
  return joined
}

function joinBytes(first: AnyEvent["bytes"], second: AnyEvent["bytes"]): AnyEvent["bytes"] {
  if (first instanceof Uint8Array && second instanceof Uint8Array) return concatBytes([first, second])
  return typeof first === "number" && typeof second === "number" ? first + second : undefined
}
