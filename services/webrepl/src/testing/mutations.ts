import { concatBytes } from "@serialcast/primitives"
import type { SeededRandom } from "@serialcast/testkit"
import { clientFrame } from "./client-frame.ts"
import {
  getRequest,
  listRequest,
  putRequest,
  removeRequest,
  request,
  versionRequest,
} from "./file-requests.ts"

const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))

export const goodHead =
  "GET / HTTP/1.1\r\nHost: echo.websocket.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n"

/** From `least` to `most`, both included. */
function integer({ next }: SeededRandom, least: number, most: number): number {
  return least + Math.floor(next() * (most - least + 1))
}

/** Bytes changed, dropped, doubled, cut off or added, up to eight times. */
export function mutate(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  let mutated = bytes
  for (let times = integer(random, 1, 8); times > 0; times--) {
    const at = integer(random, 0, mutated.byteLength)
    const to = Math.min(mutated.byteLength, at + integer(random, 0, 12))
    const [before, between, after] = [mutated.subarray(0, at), mutated.subarray(at, to), mutated.subarray(to)]
    const noise = random.bytes(integer(random, 0, 6))
    const kinds = [
      [before, noise, after],
      [before, after],
      [before, between, between, after],
      [before],
      [before, noise, between, after],
      [before, latin1(integer(random, 0, 1) === 0 ? "\r\n" : ":"), after],
    ]
    mutated = concatBytes(kinds[integer(random, 0, kinds.length - 1)] ?? [])
  }
  return mutated
}

/** A session as a client may send it: any frames, any requests, most of them right. */
export function anySession(random: SeededRandom): Uint8Array {
  const pick = <T>(choices: readonly T[]): T => choices[integer(random, 0, choices.length - 1)] as T
  const mask = integer(random, 0, 1) === 0 ? undefined : [...random.bytes(4)]
  const frames = Array.from({ length: integer(random, 1, 6) }, () => {
    const payload = pick([
      () => latin1("password\r"),
      () => random.bytes(integer(random, 0, 300)),
      () => versionRequest(),
      () => putRequest("main.py", integer(random, 0, 400)),
      () => getRequest("boot.py"),
      () => listRequest("/lib"),
      () => removeRequest("boot.py"),
      () => request({ type: integer(random, 0, 255), name: "x" }),
      () => new Uint8Array(integer(random, 0, 4)),
    ])()
    const kind = pick(["text", "binary", "binary", "ping", "pong", "close", "continuation"] as const)
    const isControl = kind === "ping" || kind === "pong" || kind === "close"
    const options = { isLast: integer(random, 0, 3) > 0, ...(mask === undefined ? {} : { mask }) }
    return clientFrame(kind, isControl ? payload.subarray(0, 125) : payload, options)
  })
  return concatBytes(frames)
}
