import { concatBytes } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { decodeCount, encodeCount, encodeFrame, FrameReader, frameKinds } from "./frames.ts"

const frames = [
  encodeFrame(frameKinds.received, Uint8Array.of(1, 2, 3)),
  encodeFrame(frameKinds.start, new Uint8Array()),
  encodeCount(frameKinds.through, 3_000_000_000),
]

test("frames come out as they went in, wherever the pipe cuts them", () => {
  const all = concatBytes(frames)
  for (let size = 1; size <= all.byteLength; size++) {
    const reader = new FrameReader()
    const got = []
    for (let at = 0; at < all.byteLength; at += size) got.push(...reader.push(all.slice(at, at + size)))
    expect(got.map(({ kind }) => kind)).toEqual(["r", "s", "c"])
    expect(got[0]?.payload).toEqual(Uint8Array.of(1, 2, 3))
    expect(decodeCount(got[2]?.payload ?? new Uint8Array())).toBe(3_000_000_000)
  }
})

test("a frame larger than any there is is an error, not memory", () => {
  const header = Uint8Array.of("r".charCodeAt(0), 0xff, 0xff, 0xff, 0x7f)
  expect(() => new FrameReader().push(header)).toThrow("2147483647 bytes")
})
