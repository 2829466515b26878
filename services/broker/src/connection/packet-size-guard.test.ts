import { expect, test } from "vitest"
import { createPacketSizeGuard } from "./packet-size-guard.ts"

/** A packet whose body is full of bytes that look like headers of endless packets. */
function packet(bodyBytes: number): readonly number[] {
  const length: number[] = []
  let rest = bodyBytes
  do {
    length.push((rest % 128) + (rest >= 128 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return [0x30, ...length, ...new Uint8Array(bodyBytes).fill(0xff)]
}

const stream = Uint8Array.from([0, 1, 127, 128, 300].flatMap(packet))

test("packets up to the limit pass, however the stream is split in two or into single bytes", () => {
  for (let split = 0; split <= stream.length; split++) {
    const guard = createPacketSizeGuard(300)
    expect(guard.take(stream.subarray(0, split))).toBeUndefined()
    expect(guard.take(stream.subarray(split))).toBeUndefined()
  }
  const guard = createPacketSizeGuard(300)
  for (const byte of stream) expect(guard.take(Uint8Array.of(byte))).toBeUndefined()
})

test("one byte more is refused at every split, by the last byte of the length", () => {
  const tooLarge = Uint8Array.from([...stream, ...packet(301)])
  const lastOfLength = stream.length + 2
  for (let split = 0; split <= lastOfLength; split++) {
    const guard = createPacketSizeGuard(300)
    expect(guard.take(tooLarge.subarray(0, split))).toBeUndefined()
    expect(guard.take(tooLarge.subarray(split, lastOfLength + 1))).toMatchObject({ code: "too_large" })
  }
})

test("the largest length that MQTT can say is understood", () => {
  const header = Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f)
  expect(createPacketSizeGuard(268_435_455).take(header)).toBeUndefined()
  expect(createPacketSizeGuard(268_435_454).take(header)).toMatchObject({ code: "too_large" })
})

test("a length without an end is refused at its fourth byte, at every split", () => {
  const header = Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80)
  for (let split = 0; split < header.length; split++) {
    const guard = createPacketSizeGuard(300)
    expect(guard.take(header.subarray(0, split))).toBeUndefined()
    expect(guard.take(header.subarray(split))).toMatchObject({ code: "bad_message" })
  }
})
