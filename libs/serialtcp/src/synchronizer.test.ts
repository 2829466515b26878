import { after, encodeHex } from "@serialcast/primitives"
import { atMs } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import type { Role } from "./codes.ts"
import { Synchronizer, type SyncProgress } from "./synchronizer.ts"

const preamble = { server: "1f441f441fe0", client: "1f441f441fc1" } as const

/** Like `1fe1`, `-` for nothing, `done`, `own`. */
function textOf({ write, isDone, isOwnRole }: SyncProgress): string {
  const words = [
    write === null ? [] : [encodeHex(write).toLowerCase()],
    isDone ? ["done"] : [],
    isOwnRole ? ["own"] : [],
  ]
  return words.flat().join(" ") || "-"
}

/** One that has begun and received `before`. */
function begun(role: Role, before: readonly number[] = []): Synchronizer {
  const synchronizer = new Synchronizer(role)
  expect(encodeHex(synchronizer.begin(atMs(0))).toLowerCase()).toBe(preamble[role])
  for (const code of before) synchronizer.receive(code, atMs(0))
  return synchronizer
}

const again = { server: preamble.server, client: preamble.client }

describe.each([
  ["server", [], { c1: "1fe1", c2: again.server, c3: again.server }],
  ["server", [0xc1], { c1: "1fe1", c2: "1fe2", c3: again.server }],
  ["server", [0xc1, 0xc2], { c1: "1fe1", c2: "-", c3: "1fe3 done" }],
  ["client", [], { e0: again.client, e1: "1fc2", e2: again.client, e3: again.client }],
  ["client", [0xe1], { e0: again.client, e1: "-", e2: "1fc3", e3: again.client }],
  ["client", [0xe1, 0xe2], { e0: again.client, e1: again.client, e2: "-", e3: "done" }],
] as const)("a %s that received %j", (role, before, reactions) => {
  test("answers what is expected, ignores a repeat, and begins anew at anything else of the far role", () => {
    for (const [code, reaction] of Object.entries(reactions)) {
      expect([code, textOf(begun(role, before).receive(Number.parseInt(code, 16), atMs(0)))]).toEqual([
        code,
        reaction,
      ])
    }
  })

  test("tells codes of its own role, and sends nothing at them", () => {
    const own = role === "server" ? [0xe0, 0xe1, 0xe2, 0xe3] : [0xc1, 0xc2, 0xc3]
    for (const code of own) expect(textOf(begun(role, before).receive(code, atMs(0)))).toBe("own")
  })

  test("ignores the codes of connections, and unknown ones", () => {
    const others = Array.from({ length: 256 }, (_, code) => code).filter(
      (code) => code >> 4 !== 0xc && code >> 4 !== 0xe,
    )
    for (const code of [...others, 0xc0, 0xc4, 0xe4])
      expect(textOf(begun(role, before).receive(code, atMs(0)))).toBe("-")
  })
})

test("alone, attempts are 1.0 s apart and then half as much again each time, up to a minute", () => {
  const synchronizer = begun("server")
  const times: number[] = []
  for (let count = 0; count < 14; count++) {
    const { deadlineMs } = synchronizer
    expect(textOf(synchronizer.tick(after(deadlineMs, -1)))).toBe("-")
    expect(textOf(synchronizer.tick(deadlineMs))).toBe(preamble.server)
    times.push(deadlineMs)
  }
  expect(times.slice(0, 6).map((ms) => ms / 1000)).toEqual([1, 2.5, 4.75, 8.125, 13.1875, 20.78125])
  expect(times.slice(-3).map((ms, at) => ms - times[times.length - 4 + at]!)).toEqual([
    60_000, 60_000, 60_000,
  ])
})

test("each answer has the time-out of the attempt, counted from the question", () => {
  const synchronizer = begun("client")
  synchronizer.receive(0xe1, atMs(900))
  expect(synchronizer.deadlineMs).toBe(1_900)
  synchronizer.receive(0xe2, atMs(1_800))
  expect(synchronizer.deadlineMs).toBe(2_800)
  expect(textOf(synchronizer.tick(atMs(2_800)))).toBe(preamble.client)
  expect(synchronizer.deadlineMs).toBe(4_300)
})

test("a round begins with the patience of the first one", () => {
  const synchronizer = begun("client")
  for (let count = 0; count < 9; count++) synchronizer.tick(synchronizer.deadlineMs)
  const nowMs = synchronizer.deadlineMs
  synchronizer.begin(nowMs)
  expect(synchronizer.deadlineMs).toBe(nowMs + 1_000)
})

test("an attempt that was put, and did not begin yet, does not fail again", () => {
  const synchronizer = begun("client")
  // The first of these begin attempts at once; what the later ones would begin is put.
  for (let count = 0; count < 100; count++) synchronizer.receive(0xe0, atMs(0))
  const putMs = synchronizer.deadlineMs
  expect(textOf(synchronizer.tick(putMs))).toBe(preamble.client)
  // Eight attempts have failed.
  expect(synchronizer.deadlineMs - putMs).toBeCloseTo(1_000 * 1.5 ** 8)
})

describe("a server that joins", () => {
  const joined = () => {
    const synchronizer = new Synchronizer("server")
    expect(synchronizer.join(atMs(0))).toBeNull()
    return synchronizer
  }

  test("answers the question", () => {
    const synchronizer = joined()
    expect([0xc1, 0xc2, 0xc3].map((code) => textOf(synchronizer.receive(code, atMs(1))))).toEqual([
      "1fe1",
      "1fe2",
      "1fe3 done",
    ])
  })

  test("begins itself when another code comes, or none for half a second, with the patience of a new round", () => {
    const [told, waited] = [joined(), joined()]
    expect(textOf(told.receive(0xc2, atMs(1)))).toBe(preamble.server)
    expect(told.deadlineMs).toBe(1_001)
    expect(textOf(waited.tick(atMs(499)))).toBe("-")
    expect(textOf(waited.tick(atMs(500)))).toBe(preamble.server)
    expect(waited.deadlineMs).toBe(1_500)
  })
})

test("a client that joins begins at once", () => {
  const written = new Synchronizer("client").join(atMs(0))
  expect(written && encodeHex(written).toLowerCase()).toBe(preamble.client)
})

test("a far end that says hello without end gets four attempts a second, and is synchronised with all the same", () => {
  const synchronizer = begun("client")
  let written = 0
  for (let nowMs = 0; nowMs < 60_000; nowMs++) {
    const answers = [synchronizer.receive(0xe0, atMs(nowMs)), synchronizer.tick(atMs(nowMs))]
    written += answers.filter(({ write }) => write !== null).length
  }
  expect(written).toBeLessThan(4 * 60 + 10)
  expect([0xe1, 0xe2, 0xe3].map((code) => textOf(synchronizer.receive(code, atMs(60_000))))).toEqual([
    "1fc2",
    "1fc3",
    "done",
  ])
})
