import { concatBytes } from "@serialcast/primitives"
import { type SeededRandom, seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { Rfc2217Client } from "./rfc2217-client.ts"
import { Rfc2217Server } from "./rfc2217-server.ts"
import { hex } from "./testing/test-segments.ts"

interface Peer {
  receive(bytes: Uint8Array): {
    readonly events: readonly { readonly kind: string; readonly bytes?: Uint8Array | number }[]
    readonly reply: Uint8Array
  }
}

const peers: readonly [string, () => Peer, string, string][] = [
  [
    "server",
    () => new Rfc2217Server({ signature: "serialcast" }),
    "fffb2c fffa2c0208fff0 61ffff62",
    '{"kind":"request","request":{"kind":"dataBits","value":8}}',
  ],
  [
    "client",
    () => {
      const client = new Rfc2217Client({ signature: "serialcast" })
      client.open()
      return client
    },
    "fffd2c fffa2c6608fff0 61ffff62",
    '{"kind":"answer","answer":{"kind":"dataBits","value":8}}',
  ],
]

/** A session with much in it. */
const session = hex(
  "fffd01fffb03fffd03fffd2cfffb2c fffa2c010001c200fff0 fffa2c0208fff0 fffa2c0bfffffff0 6162ffff630d00" +
    "fffa2c650001c200fff0 fffa2c6bbbfff0 fff3 fff6 fffa2c0508fff0 fffd06 fffa2c08fff0 fffa2c09fff0",
)

const kinds: Readonly<Record<string, (random: SeededRandom) => Uint8Array>> = {
  garbage: (random) => random.bytes(3000),
  "garbage of telnet": (random) => {
    const special = hex("ff ff ff fa f0 fb fd fe 2c 00 01 0d")
    return random.bytes(3000).map((byte) => special[byte % special.length] ?? 0)
  },
  "flipped bits": (random) => {
    const bytes = concatBytes(Array.from({ length: 30 }, () => session)).slice()
    for (let flips = 0; flips < 30; flips++) {
      const at = Math.floor(random.next() * bytes.byteLength)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random.next() * 8))
    }
    return bytes
  },
  "torn sessions": (random) =>
    concatBytes(
      Array.from({ length: 40 }, () => session.subarray(0, Math.floor(random.next() * session.byteLength))),
    ),
}

describe.each(peers)("a %s", (_name, create, request, event) => {
  test.each(Object.entries(kinds))(
    "takes %s, invents no byte, and understands what comes after it",
    (_kind, make) => {
      const random = seededRandom()
      for (let taken = 0; taken < 1_300_000; ) {
        const peer = create()
        const bytes = make(random)
        let given = 0
        for (let at = 0; at < bytes.byteLength; ) {
          const segment = bytes.subarray(at, at + 1 + Math.floor(random.next() * 200))
          at += segment.byteLength
          const { events, reply } = peer.receive(segment)
          for (const { bytes: part } of events) given += part instanceof Uint8Array ? part.byteLength : 0
          expect(reply.byteLength).toBeLessThan(20 * (segment.byteLength + 200))
        }
        expect(given, `seed ${random.seed}`).toBeLessThanOrEqual(bytes.byteLength)
        const { events } = peer.receive(concatBytes([hex("fff0"), hex(request)]))
        const last = events.slice(-2)
        expect(JSON.stringify(last[0]), `seed ${random.seed}`).toBe(event)
        expect(last[1], `seed ${random.seed}`).toEqual({ kind: "data", bytes: hex("61ff62") })
        taken += bytes.byteLength
      }
    },
  )
})
