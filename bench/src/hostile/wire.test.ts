import { concatBytes } from "@serialcast/primitives"
import { countingBytes } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { connectPacket, publishedPayloads, publishPacket } from "./mqtt-packets.ts"
import { encodeText } from "./surface.ts"
import { binaryPayloads, encodeFrame } from "./websocket-frames.ts"

const sizes = [0, 1, 125, 126, 127, 128, 16_383, 16_384, 65_536]
const payloads = sizes.map((size) => countingBytes(0, size))

test("of a broker's packets the payloads of those with QoS 0 come out whole, and what is cut off does not", () => {
  const topic = encodeText("serialcast/local/d1/rx")
  const packets = payloads.map((payload) => publishPacket(topic, payload))
  const received = concatBytes([connectPacket("me"), ...packets])
  expect(publishedPayloads(received)).toEqual(payloads)
  expect(publishedPayloads(received.subarray(0, -1))).toEqual(payloads.slice(0, -1))
})

test("of a server's frames the binary ones come out whole, behind its answer, and what is cut off does not", () => {
  const frame = (payload: Uint8Array, opcode: number) => encodeFrame(payload, { opcode, isMasked: false })
  const frames = payloads.flatMap((payload) => [frame(encodeText("{}"), 1), frame(payload, 2)])
  const received = concatBytes([encodeText("HTTP/1.1 101 Switching Protocols\r\n\r\n"), ...frames])
  expect(binaryPayloads(received)).toEqual(payloads)
  expect(binaryPayloads(received.subarray(0, -1))).toEqual(payloads.slice(0, -1))
})

test("a client's frame is masked, and its length is told as it is asked for", () => {
  const [first, second, ...rest] = encodeFrame(Uint8Array.of(1, 2), { opcode: 2, announced: 2n ** 63n })
  expect([first, second]).toEqual([0x82, 0xff])
  expect(rest.slice(0, 8)).toEqual([0x80, 0, 0, 0, 0, 0, 0, 0])
  expect(rest.slice(8)).toEqual([0x12, 0x34, 0x56, 0x78, 0x13, 0x36])
})
