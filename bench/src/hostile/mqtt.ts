import { encodeCbor } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import type { Choices } from "./choices.ts"
import {
  connectPacket,
  encodeField,
  encodePacket,
  encodeString,
  packetTypes,
  publishPacket,
  subscribePacket,
} from "./mqtt-packets.ts"
import { encodeText, type Surface, several } from "./surface.ts"

/**
 * What the contract has, of a device that takes it and of one that is made up. Not the status of the gateway itself: who
 * speaks there speaks for the agent, and until the agent says otherwise its devices are away for everybody.
 */
const contractTopics: readonly string[] = ["local/d0", "ghost/x"]
  .flatMap((device) =>
    ["state", "rx", "tx", "line", "line/cut", "stream", "call/write/me"].map((rest) => `${device}/${rest}`),
  )
  .concat("ghost/status", "_tunnels/me", "_discover", "_clients/me/reply", "local/d0/call/no/me")
  .map((topic) => `serialcast/${topic}`)

const states: readonly Readonly<Record<string, unknown>>[] = [
  { gateway: "ghost", device: "x", online: true, port: "/dev/null", epoch: "00000000000000aa" },
  { online: false },
  { client: "me" },
  { client: "me", tunnels: [] },
  { e: "00000000000000aa", s: "rx", o: 0, n: 0, t: 1, b: Uint8Array.of(1, 2, 3) },
  { e: "00000000000000aa", s: "rx", o: 2 ** 52, n: 0, t: 1, m: { n: 0, kind: "opened", open: 2 } },
]

/** Packets of all types with wrong lengths, flags and topics, and right ones of hostile content on the contract's topics. */
export function hostileMqtt(port: number): Surface {
  return { name: "MQTT", next: (choices) => ({ port, inputs: mqttInputs(choices) }) }
}

/** A log-in, and what follows it. */
export function mqttInputs(choices: Choices): Uint8Array[] {
  return [connect(choices), ...several(choices, 20, () => packet(choices))]
}

function connect(choices: Choices): Uint8Array {
  const client = choices.chance(0.8) ? `hostile-${choices.below(100)}` : choices.text()
  const valid = connectPacket(client)
  if (choices.chance(0.8)) return valid
  if (choices.chance(0.5)) return choices.mutateBytes(valid)
  const flags = choices.pick([0, 1, 0x02, 0x04, 0x16, 0x1e, 0x26, 0x36, 0xc2, 0xff])
  const name = choices.pick(["MQTT", "MQIsdp", "", "mqtt"])
  const level = choices.pick([3, 4, 5, 0, 255, 0x84])
  const will =
    (flags & 4) === 0 ? [] : [encodeField(topic(choices)), encodeField(content(choices).subarray(0, 60_000))]
  const login = (flags & 0xc0) === 0 ? [] : [encodeString("me"), encodeString("x")]
  const head = Uint8Array.of(level, flags, 0, choices.pick([0, 1, 60, 255]))
  return encodePacket(packetTypes.connect, encodeString(name), head, encodeString(client), ...will, ...login)
}

function packet(choices: Choices): Uint8Array {
  if (choices.chance(0.1)) return choices.mutateBytes(validPacket(choices))
  if (choices.chance(0.07)) return malformed(choices)
  return validPacket(choices)
}

function validPacket(choices: Choices): Uint8Array {
  switch (choices.below(6)) {
    case 0:
      return subscribePacket(
        choices.pick([...contractTopics, "#", "serialcast/+/+/state", choices.text()]),
        choices.below(3),
      )
    case 1:
      return encodePacket(packetTypes.unsubscribe, Uint8Array.of(0, 1), encodeField(topic(choices)))
    case 2:
      return encodePacket(packetTypes.pingreq)
    default:
      return publishPacket(topic(choices), content(choices), {
        flags: choices.pick([0, 0, 0, 1, 2, 3, 4, 8, 10]),
      })
  }
}

/** Any type and any flags, with a length that is a lie or none. */
function malformed(choices: Choices): Uint8Array {
  const first = choices.below(256)
  const length = choices.pick([
    [0],
    [1],
    [0x7f],
    [0x80, 0],
    [0xff, 0xff, 0xff, 0x7f],
    [0xff, 0xff, 0xff, 0xff, 0x7f],
  ])
  return concatBytes([Uint8Array.of(first, ...length), choices.bytes(200)])
}

function topic(choices: Choices): Uint8Array {
  if (choices.chance(0.7)) return encodeText(choices.pick(contractTopics))
  if (choices.chance(0.3))
    return encodeText(`serialcast/g${choices.below(1_000)}/d${choices.below(10)}/state`)
  if (choices.chance(0.1)) return Uint8Array.of(0xff, 0xc0, 0x2f)
  return encodeText(
    choices.pick([
      choices.text(),
      `serialcast/${choices.text()}`,
      `serialcast/local/d0/${choices.text()}`,
      "/".repeat(500),
    ]),
  )
}

function content(choices: Choices): Uint8Array {
  switch (choices.below(5)) {
    case 0:
      return choices.bytes(choices.chance(0.01) ? 300_000 : 2_000)
    case 1:
      return new Uint8Array()
    case 2:
      return encodeText(JSON.stringify(choices.value()) ?? "")
    case 3:
      return encodeText(JSON.stringify(choices.mutateObject(choices.pick(states))))
    default:
      return encodeCbor(choices.mutateObject(choices.pick(states)))
  }
}
