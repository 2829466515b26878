import type { Choices } from "./choices.ts"
import { mqttInputs } from "./mqtt.ts"
import { encodeText, type Surface, several } from "./surface.ts"
import { encodeFrame, handshake } from "./websocket-frames.ts"

export interface WebSocketPorts {
  /** Of the page, where sockets of devices are. */
  readonly page: number
  /** Of MQTT over WebSocket. */
  readonly broker: number
}

const badUtf8: readonly Uint8Array[] = [
  Uint8Array.of(0xc0, 0x80),
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xf8),
  Uint8Array.of(0x41, 0xe2, 0x82),
]
const writes: readonly Readonly<Record<string, unknown>>[] = [
  { type: "write", id: "a", text: "AT\r\n", ttlMs: 500 },
  { type: "write", hex: "4865" },
  { type: "write", base64: "SGVsbG8=" },
]

/** Handshakes and frames, right and wrong, of the devices' two protocols and of MQTT over WebSocket. */
export function hostileWebSocket({ page, broker }: WebSocketPorts): Surface {
  return {
    name: "WebSocket",
    next(choices) {
      if (choices.chance(0.1)) {
        const packets = mqttInputs(choices).map((packet) => frameOf(choices, packet))
        return { port: broker, inputs: [greeting(choices, "/", "mqtt"), ...packets] }
      }
      const target = choices.chance(0.8) ? "/ws?device=local/d0" : oddTarget(choices)
      const protocol = choices.chance(0.6) ? "serialcast.v1" : choices.pick([null, null, "mqtt", ","])
      return {
        port: page,
        inputs: [greeting(choices, target, protocol), ...several(choices, 20, () => frame(choices))],
      }
    },
  }
}

function oddTarget(choices: Choices): string {
  const value = choices.encodedText()
  return choices.pick([
    "/ws",
    "/ws/devices",
    `/ws?from=${value}`,
    `/ws?device=${value}`,
    "/ws?from=-99",
    "/no",
    "//[",
  ])
}

function greeting(choices: Choices, target: string, protocol: string | null): Uint8Array {
  const odd = [
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    "Sec-WebSocket-Version: 99",
    "Sec-WebSocket-Key: x",
    "Origin: http://evil.example",
    "Content-Length: 5",
  ]
  const more = choices.chance(0.1) ? [choices.pick(odd)] : []
  const whole = encodeText(handshake({ target, protocol, more }))
  return choices.chance(0.05) ? choices.mutateBytes(whole) : whole
}

function frame(choices: Choices): Uint8Array {
  const encoded = frameOf(choices, payload(choices))
  return choices.chance(0.03) ? choices.mutateBytes(encoded) : encoded
}

/** Mostly as a client may send it, else with one thing that none may: what ends the socket ends what can follow. */
function frameOf(choices: Choices, content: Uint8Array): Uint8Array {
  if (choices.chance(0.75)) return encodeFrame(content, { opcode: choices.pick([1, 2, 2]) })
  switch (choices.below(6)) {
    case 0:
      return encodeFrame(content, { opcode: choices.below(16), isFinal: choices.chance(0.5) })
    case 1:
      return encodeFrame(content, { opcode: 1, reserved: choices.below(8) })
    case 2:
      return encodeFrame(content, { opcode: 2, isMasked: false })
    case 3: {
      const announced = choices.pick([
        0n,
        1n,
        125n,
        65_536n,
        4_200_000n,
        2n ** 53n,
        2n ** 63n,
        2n ** 64n - 1n,
      ])
      return encodeFrame(content, { opcode: 2, announced })
    }
    case 4:
      return encodeFrame(closing(choices), { opcode: 8 })
    default:
      return encodeFrame(content.subarray(0, 125), { opcode: choices.pick([9, 10]) })
  }
}

function closing(choices: Choices): Uint8Array {
  const code = choices.pick([0, 999, 1_000, 1_004, 1_005, 1_006, 1_015, 3_000, 65_535])
  return choices.pick([new Uint8Array(), Uint8Array.of(3), Uint8Array.of(code >> 8, code & 0xff, 0xff)])
}

function payload(choices: Choices): Uint8Array {
  switch (choices.below(5)) {
    case 0:
      return choices.bytes(70_000)
    case 1:
      return choices.pick(badUtf8)
    case 2:
      return encodeText(JSON.stringify(choices.value()) ?? "")
    case 3:
      return encodeText(choices.text())
    default:
      return encodeText(JSON.stringify(choices.mutateObject(choices.pick(writes))))
  }
}
