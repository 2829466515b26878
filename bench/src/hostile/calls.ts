import { encodeCbor } from "@serialcast/contract"
import type { Choices } from "./choices.ts"
import { connectPacket, publishPacket, subscribePacket } from "./mqtt-packets.ts"
import { encodeText, type Surface, several } from "./surface.ts"

const common = { id: "a", by: "me" }

/** For each verb a call as it may be; delays are left to the mutations, or the device would be busy for minutes. */
const skeletons: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  write: [
    { ...common, bytes: Uint8Array.of(1, 2, 3), ttlMs: 500, open: 1 },
    { ...common, text: "AT\r\n" },
    { ...common, hex: "4865", part: 0, parts: 2 },
    { ...common, base64: "SGVsbG8=", session: "s", seq: 0 },
  ],
  cancel: [
    { ...common, write: "a" },
    { ...common, session: "s" },
  ],
  history: [{ ...common, stream: "rx", from: "start", maxBytes: 100 }],
  search: [{ ...common, pattern: "(a+)+$", from: "start" }],
  configure: [{ ...common, settings: { baudRate: 9_600, parity: "even" }, now: true }],
  signal: [
    { ...common, dtr: true, rts: false },
    { ...common, macro: "D0R1|W0.01|R0", now: true },
  ],
  lines: [{ ...common }],
  purge: [{ ...common, what: "rx" }],
  lease: [{ ...common, ttlMs: 100, steal: true }],
  release: [{ ...common, lease: "token" }],
  no: [{ ...common }],
}
const verbs = Object.keys(skeletons)

/** Heads of CBOR that promise more than follows, have no end, are tagged, reserved, or nested without an end. */
const oddCbor: readonly Uint8Array[] = [
  Uint8Array.of(0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x9b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x61),
  Uint8Array.of(0x7a, 0x7f, 0xff, 0xff, 0xff, 0x61),
  Uint8Array.of(0xbf, 0x62, 0x69, 0x64),
  Uint8Array.of(0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0xa1, 0xf9, 0x7e, 0, 0xf9, 0x7c, 0),
  Uint8Array.of(0xa2, 0x62, 0x69, 0x64, 1, 0x62, 0x69, 0x64, 2),
  Uint8Array.of(0xa1, 0x69, ...encodeText("__proto__"), 0xa1, 0x62, 0x69, 0x64, 0x61, 0x61),
  new Uint8Array(60_000).fill(0x81),
  new Uint8Array(60_000).fill(0xa1),
  new Uint8Array(60_000).fill(0xd8),
]

/** Calls in CBOR and JSON, mutated from valid ones, of one client that reads its replies. */
export function hostileCalls(port: number): Surface {
  return {
    name: "calls",
    next(choices) {
      const client = `calls-${choices.below(1_000)}`
      const log = [connectPacket(client), subscribePacket(`serialcast/_clients/${client}/reply`)]
      return { port, inputs: [...log, ...several(choices, 60, () => call(choices, client))] }
    },
  }
}

function call(choices: Choices, client: string): Uint8Array {
  const verb = choices.pick(verbs)
  const replyTo = choices.chance(0.97) ? client : choices.pick(["x".repeat(64), "A", "%", "ghost"])
  const topic = encodeText(`serialcast/local/d0/call/${verb}/${replyTo}`)
  return publishPacket(topic, payload(choices, verb))
}

function payload(choices: Choices, verb: string): Uint8Array {
  if (choices.chance(0.03)) return choices.pick(oddCbor)
  const skeleton = choices.pick(skeletons[verb] ?? [common])
  // Ids are remembered: mostly another one.
  const valid = { ...skeleton, id: choices.chance(0.1) ? "a" : `i${choices.below(1_000_000)}` }
  const value = choices.chance(0.2) ? valid : choices.mutateObject(valid)
  const encoded = choices.chance(0.5) ? encodeCbor(value) : encodeText(JSON.stringify(value) ?? "")
  return choices.chance(0.2) ? choices.mutateBytes(encoded) : encoded
}
