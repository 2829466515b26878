import { seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { createPieceCode } from "./piece-code.ts"

describe.each([
  { softwareFlowControl: false, forbidden: [0x03] },
  { softwareFlowControl: true, forbidden: [0x03, 0x11, 0x13] },
])(
  "pieces of a file, with software flow control: $softwareFlowControl",
  ({ softwareFlowControl, forbidden }) => {
    const code = createPieceCode({ softwareFlowControl })

    /** As the board does: the head's bytes, one after the other, become those that they stand for. */
    const decode = (piece: Uint8Array) => {
      const headBytes = code.aroundBytes - 2
      const [head, data] = [piece.subarray(0, headBytes), Array.from(piece.subarray(headBytes, -2))]
      return Uint8Array.from(
        forbidden.reduce<number[]>(
          (left, byte, at) => left.map((one) => (one === head[at] ? byte : one)),
          data,
        ),
      )
    }

    test("have no byte that means something, and are what they were", () => {
      const random = seededRandom()
      for (let round = 0; round < 500; round++) {
        const data = random.bytes(Math.floor(random.next() * 241))
        // Some have many of them, and of what is chosen first.
        if (round % 2 === 0) data.forEach((byte, at) => (data[at] = byte & 0x1f))
        const piece = code.encode(data, round)
        expect(
          forbidden.some((byte) => piece.includes(byte)),
          `seed ${random.seed}`,
        ).toBe(false)
        expect(decode(piece), `seed ${random.seed}`).toEqual(data)
      }
    })

    test("end with their number, twice", () => {
      const numbers = Array.from({ length: 130 }, (_, at) =>
        Array.from(code.encode(Uint8Array.of(0), at).subarray(-2)),
      )
      expect(numbers.slice(0, 2)).toEqual([
        [32, 95],
        [33, 94],
      ])
      for (const [at, pair] of numbers.entries()) expect(pair).toEqual(numbers[at % 64])
    })

    test("are never taken for the one that ends the file before its time", () => {
      const data = Uint8Array.from({ length: 240 }, (_, at) => at)
      expect(code.encode(data, 0)[0]).not.toBe(0x0a)
      expect(code.stop(7)).toEqual(new Uint8Array(code.aroundBytes + 7).fill(0x0a))
    })
  },
)
