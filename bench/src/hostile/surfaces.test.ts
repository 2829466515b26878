import { createHash } from "node:crypto"
import { concatBytes } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { hostileCalls } from "./calls.ts"
import { Choices } from "./choices.ts"
import { hostileHttp } from "./http.ts"
import { hostileMqtt } from "./mqtt.ts"
import { hostileTelnet } from "./telnet.ts"
import { hostileWebSocket } from "./websocket.ts"

const surfaces = [
  hostileHttp([1, 2]),
  hostileWebSocket({ page: 1, broker: 2 }),
  hostileMqtt(1),
  hostileCalls(1),
  hostileTelnet([1, 2]),
]

test.each(surfaces)("a seed makes the same conversations again, another one others: $name", (surface) => {
  const conversations = (seed: number) => {
    const choices = new Choices(seededRandom(seed))
    const hash = createHash("sha256")
    for (let count = 0; count < 100; count++) {
      const { port, inputs } = surface.next(choices)
      hash.update(`${port} ${inputs.map(({ byteLength }) => byteLength).join()}`).update(concatBytes(inputs))
    }
    return hash.digest("hex")
  }
  const first = conversations(1)
  expect(conversations(1)).toBe(first)
  expect(conversations(2)).not.toBe(first)
})

test.each([1, 2, 3, 4])("the pieces of what is sent are all of it, in order (seed %i)", (seed) => {
  const choices = new Choices(seededRandom(seed))
  for (let length = 0; length < 3_000; length += 97) {
    const bytes = seededRandom(length).bytes(length)
    expect(concatBytes(choices.split(bytes))).toEqual(bytes)
  }
})
