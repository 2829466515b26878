import type { ByteQueue } from "@serialcast/primitives"

/** The next `count` bytes of a queue that has them. */
export function takeExactly(queue: ByteQueue, count: number): Uint8Array {
  const first = queue.take(count)
  if (first.byteLength === count) return first
  const whole = new Uint8Array(count)
  whole.set(first)
  for (let at = first.byteLength; at < count; ) {
    const piece = queue.take(count - at)
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}
