import { expect, test } from "vitest"
import { ByteQueue } from "./byte-queue.ts"

/** Bytes of a stream in which each tells its place. */
function bytesAt(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = (offset + at) % 251
  return bytes
}

const areEqual = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

test("whatever the sizes of pieces and takes, the bytes come out whole and in order, and cost about what they count", () => {
  const queue = new ByteQueue()
  const sizes = [0, 1, 1, 2, 100, 1_023, 1_024, 1_025, 65_536, 200_000]
  let [pushed, taken] = [0, 0]
  for (let step = 0; step < 600; step++) {
    // Steps without a common divisor: every size meets every other one, in both roles.
    const size = sizes[(step * 7 + (step >> 4)) % sizes.length] ?? 0
    if (step % 3 !== 0) {
      queue.push(bytesAt(pushed, size))
      pushed += size
    } else {
      const piece = queue.take(2 * size)
      expect(areEqual(piece, bytesAt(taken, piece.byteLength))).toBe(true)
      taken += piece.byteLength
    }
    if (step % 100 === 0) while (queue.byteLength > 500) taken += queue.take(70_000).byteLength
    expect(queue.byteLength).toBe(pushed - taken)
    expect(queue.heldBytes).toBeLessThanOrEqual(1.25 * queue.byteLength + 65_536 + 1_024)
    expect(queue.heldBytes).toBeGreaterThanOrEqual(queue.byteLength)
  }
  expect(areEqual(queue.takeAll(), bytesAt(taken, pushed - taken))).toBe(true)
  expect([queue.byteLength, queue.heldBytes]).toEqual([0, 0])
})

test("a million single bytes cost a megabyte, not a hundred", () => {
  const queue = new ByteQueue()
  const big = new Uint8Array(1_000_000).fill(7)
  for (let at = 0; at < big.byteLength; at++) queue.push(big.subarray(at, at + 1))
  expect(queue.heldBytes).toBeLessThan(1_070_000)
  expect(areEqual(queue.takeAll(), big)).toBe(true)
})

test("small pieces leave together", () => {
  const queue = new ByteQueue()
  for (let count = 0; count < 1_000; count++) queue.push(Uint8Array.of(count))
  expect(queue.take(65_536)).toHaveLength(1_000)
  expect(queue.take(65_536)).toHaveLength(0)
})

test("what was taken does not change with what comes after it", () => {
  const queue = new ByteQueue()
  queue.push(Uint8Array.of(1, 2, 3))
  const taken = queue.take(2)
  queue.push(new Uint8Array(2_000).fill(9))
  expect(taken).toEqual(Uint8Array.of(1, 2))
  expect(queue.take(1)).toEqual(Uint8Array.of(3))
})

test("the sender may use its buffer again", () => {
  const queue = new ByteQueue()
  const buffer = Uint8Array.of(1, 2, 3)
  queue.push(buffer)
  buffer.fill(0)
  expect(queue.takeAll()).toEqual(Uint8Array.of(1, 2, 3))
})
