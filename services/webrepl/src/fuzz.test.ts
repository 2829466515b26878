import { type SeededRandom, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { FileStream } from "./file-channel/file-stream.ts"
import { FrameReader } from "./frames/frame-reader.ts"
import { HeadReader, maxHeadBytes } from "./handshake/head-reader.ts"
import { judgeHead } from "./handshake/judge-head.ts"
import { PasswordReader } from "./login/password-reader.ts"
import { anySession, goodHead, mutate } from "./testing/mutations.ts"

const rounds = 50_000

/** Pieces of random sizes, as TCP may cut. */
function* cut(bytes: Uint8Array, { next }: SeededRandom): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; ) {
    const size = 1 + Math.floor(next() * 200)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

test(`${rounds} mutated heads are read without a crash, and only one with all it takes upgrades`, () => {
  const random = seededRandom()
  const good = Uint8Array.from(Buffer.from(goodHead, "latin1"))
  const kinds = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    const mutated = mutate(good, random)
    const reader = new HeadReader()
    for (const piece of cut(mutated, random)) {
      const progress = reader.push(piece)
      kinds.add(progress.kind)
      if (progress.kind !== "head") continue
      const { webSocketKey } = judgeHead(progress.lines)
      const text = Buffer.from(mutated).toString("latin1")
      if (webSocketKey !== null)
        expect(text, `seed ${random.seed}`).toMatch(/Upgrade[\t\v\f\r ]*:[^\n]*websocket/)
      break
    }
  }
  expect(kinds, `seed ${random.seed}`).toEqual(new Set(["head", "more"]))
  expect(good.byteLength).toBeLessThan(maxHeadBytes)
})

test(`${rounds} mutated sessions are read without a crash, and nothing is held but what the limits say`, () => {
  const random = seededRandom()
  const seen = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    const session = mutate(anySession(random), random)
    const frames = new FrameReader()
    const password = new PasswordReader()
    const files = new FileStream()
    let payload = 0
    for (const piece of cut(session, random)) {
      for (const event of frames.push(piece)) {
        seen.add(event.kind)
        if (event.kind === "text") password.push(event.bytes)
        if (event.kind !== "binary") continue
        payload += event.bytes.byteLength
        files.push(event.bytes)
        for (let input = files.pull(); input !== null; input = files.pull()) {
          seen.add(input.kind)
          // Files have at most three pieces here.
          if (input.kind === "wanted" && random.next() < 0.3) files.endGet()
        }
      }
    }
    expect(payload, `seed ${random.seed}`).toBeLessThanOrEqual(session.byteLength)
    expect(files.heldBytes, `seed ${random.seed}`).toBe(0)
  }
  const all = ["text", "binary", "ping", "close", "violation", "request", "content", "wanted"]
  expect([...seen].toSorted(), `seed ${random.seed}`).toEqual(all.toSorted())
})
