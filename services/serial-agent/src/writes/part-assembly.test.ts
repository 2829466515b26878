import { maxChunkBytes, maxWriteBytes, type WriteRequest } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import { FakeClock, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { maxQueuedBytes } from "../turns/turn-queue.ts"
import { PartAssembly } from "./part-assembly.ts"

const partsOf = (id: string, pieces: readonly Uint8Array[]): WriteRequest[] =>
  pieces.map((bytes, part) => ({ id, by: "test", bytes, part, parts: pieces.length }))

const add = (assembly: PartAssembly, request: WriteRequest) => assembly.add("test", request)

test("a write without parts is whole", () => {
  const bytes = Uint8Array.of(1, 2, 3)
  expect(add(new PartAssembly(new FakeClock()), { id: "a", by: "test", bytes })).toEqual(bytes)
})

test("parts make the whole in whatever order they come, and however often", () => {
  const random = seededRandom()
  const clock = new FakeClock()
  const assembly = new PartAssembly(clock)
  for (let round = 0; round < 50; round++) {
    const pieces = Array.from({ length: 1 + Math.floor(random.next() * 12) }, () =>
      random.bytes(Math.floor(random.next() * 50)),
    )
    const missing = new Set(pieces.keys())
    const parts = partsOf(`write ${round}`, pieces)
    while (missing.size > 0) {
      const next = parts[Math.floor(random.next() * parts.length)]!
      missing.delete(next.part!)
      const whole = add(assembly, next)
      expect(whole, `seed ${random.seed}`).toEqual(missing.size === 0 ? concatBytes(pieces) : null)
    }
  }
  expect(clock.pendingTimers).toBe(0)
})

test("writes that come in at the same time are kept apart", () => {
  const assembly = new PartAssembly(new FakeClock())
  const [a0, a1] = partsOf("a", [Uint8Array.of(1), Uint8Array.of(2)])
  const [b0, b1] = partsOf("b", [Uint8Array.of(3), Uint8Array.of(4)])
  expect([add(assembly, a0!), add(assembly, b1!)]).toEqual([null, null])
  expect([add(assembly, a1!), add(assembly, b0!)]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)])
})

test("parts that disagree on how many there are are refused, the others go on", () => {
  const assembly = new PartAssembly(new FakeClock())
  const [first, second] = partsOf("a", [Uint8Array.of(1), Uint8Array.of(2)])
  add(assembly, first!)
  expect(() => add(assembly, { ...second!, parts: 3 })).toThrow(
    expect.objectContaining({ code: "bad_request" }),
  )
  expect(add(assembly, second!)).toEqual(Uint8Array.of(1, 2))
})

test("a write whose parts stopped coming is forgotten 30 s after the last one", () => {
  const clock = new FakeClock()
  const assembly = new PartAssembly(clock)
  const [first, second, third] = partsOf("a", [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)])
  add(assembly, first!)
  clock.advance(29_999)
  add(assembly, second!)
  clock.advance(29_999)
  expect(add(assembly, third!)).toEqual(Uint8Array.of(1, 2, 3))
  add(assembly, first!)
  clock.advance(30_000)
  expect([add(assembly, second!), add(assembly, third!), add(assembly, first!)]).toEqual([
    null,
    null,
    Uint8Array.of(1, 2, 3),
  ])
  expect(clock.pendingTimers).toBe(0)
})

test("a write above the limit is refused with the part that crosses it", () => {
  const clock = new FakeClock()
  const assembly = new PartAssembly(clock)
  const bytes = new Uint8Array(maxChunkBytes)
  const fitting = Math.floor(maxWriteBytes / maxChunkBytes)
  const addPart = (part: number) => add(assembly, { id: "a", by: "test", bytes, part, parts: fitting + 2 })
  for (let part = 0; part < fitting; part++) expect(addPart(part)).toBeNull()
  expect(() => addPart(fitting)).toThrow(expect.objectContaining({ code: "too_large" }))
  expect(clock.pendingTimers).toBe(0)
})

test("all unfinished writes together are bounded, of one client more closely, and what was dropped makes room", () => {
  const clock = new FakeClock()
  const assembly = new PartAssembly(clock)
  const bytes = new Uint8Array(maxChunkBytes)
  const addOne = (id: string, client: string) =>
    assembly.add(client, { id, by: "test", bytes, part: 0, parts: 2 })
  const addMany = (client: string, share: number) => {
    const many = Math.floor((maxQueuedBytes * share) / maxChunkBytes)
    let accepted = 0
    expect(() => {
      for (; accepted <= many + 2; accepted++) addOne(`${accepted}`, client)
    }).toThrow(expect.objectContaining({ code: "overloaded" }))
    expect(accepted).toBeGreaterThan(many - 5)
  }
  addMany("greedy", 0.75)
  addMany("other", 0.25)
  clock.advance(30_000)
  addOne("later", "greedy")
  expect(clock.pendingTimers).toBe(1)
})

test("parts without bytes are bounded too", () => {
  const assembly = new PartAssembly(new FakeClock())
  expect(() => {
    for (let n = 0; n < 100_000; n++)
      add(assembly, { id: `${n}`, by: "test", bytes: new Uint8Array(0), part: 0, parts: 4_096 })
  }).toThrow(expect.objectContaining({ code: "overloaded" }))
})

test("what is cleared is named, makes room and is no part of a later write", () => {
  const clock = new FakeClock()
  const assembly = new PartAssembly(clock)
  const [a0, a1] = partsOf("a", [Uint8Array.of(1), Uint8Array.of(2)])
  add(assembly, a0!)
  expect(assembly.clear()).toEqual([{ client: "test", id: "a", by: "test" }])
  expect(clock.pendingTimers).toBe(0)
  expect(assembly.clear()).toEqual([])
  expect(add(assembly, a1!)).toBeNull()
})

test("a part is a copy: it does not keep the network's buffer in memory", () => {
  const assembly = new PartAssembly(new FakeClock())
  const network = new Uint8Array(64 * 1024)
  const [first, second] = partsOf("a", [network.subarray(0, 2), Uint8Array.of(1)])
  add(assembly, first!)
  network.fill(9)
  expect(add(assembly, second!)).toEqual(Uint8Array.of(0, 0, 1))
})

test("a write that is dropped is named, and the others stay", () => {
  const clock = new FakeClock()
  const assembly = new PartAssembly(clock)
  const [a0, a1] = partsOf("a", [Uint8Array.of(1), Uint8Array.of(2)])
  const [b0, b1] = partsOf("b", [Uint8Array.of(3), Uint8Array.of(4)])
  for (const part of [a0, b0]) add(assembly, part!)
  expect(assembly.drop("other", "a")).toBeUndefined()
  expect(assembly.drop("test", "a")).toEqual({ client: "test", id: "a", by: "test" })
  expect(assembly.drop("test", "a")).toBeUndefined()
  expect(add(assembly, a1!)).toBeNull()
  expect(add(assembly, b1!)).toEqual(Uint8Array.of(3, 4))
})
