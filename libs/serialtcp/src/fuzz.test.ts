import { atMs, type SeededRandom, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { CableEnd } from "./cable-end.ts"
import type { CableAction, CableInput } from "./cable-events.ts"
import type { Role } from "./codes.ts"
import { TestWorld } from "./testing/test-world.ts"

/** Bytes of the line that mean something, so that every state is reached. */
const telling = [0x1f, 0x1f, 0x1f, 0x44, 0x43, 0x63, 0x46, 0x73, 0xe0, 0xe1, 0xe2, 0xe3, 0xc1, 0xc2, 0xc3]

/** What a well-behaved far end sends up to data, spoilt at some places. */
function spoiltLine(role: Role, random: SeededRandom): Uint8Array {
  const base = role === "server" ? 0xc0 : 0xe0
  const steps = [0x1f, 0x44, 0x1f, 0x44, ...[1, 2, 3].flatMap((step) => [0x1f, base + step])]
  const connection = role === "server" ? [0x1f, 0x63, 0x1f, 0x73] : [0x1f, 0x43, 0x1f, 0x73]
  const line = [...steps, ...connection, ...random.bytes(40), ...(random.next() < 0.5 ? [0x1f, 0x44] : [])]
  for (let spoils = Math.floor(random.next() * 3); spoils > 0; spoils--) {
    const at = Math.floor(random.next() * line.length)
    if (random.next() < 0.5) line.splice(at, 1 + Math.floor(random.next() * 4))
    else line[at] = (line[at] ?? 0) ^ (1 << Math.floor(random.next() * 8))
  }
  return Uint8Array.from(line)
}

function noise(role: Role, random: SeededRandom): Uint8Array {
  const kind = random.next()
  if (kind < 0.3) return random.bytes(1 + Math.floor(random.next() * 4_000))
  if (kind < 0.6) {
    const choose = () => telling[Math.floor(random.next() * telling.length)] ?? 0
    return Uint8Array.from({ length: 1 + Math.floor(random.next() * 1_000) }, choose)
  }
  return spoiltLine(role, random)
}

const elsewhere: readonly CableInput[] = [
  { kind: "drained" },
  { kind: "torn" },
  { kind: "clientsWaited", count: 1 },
  { kind: "dialed" },
  { kind: "dialFailed" },
  { kind: "tcpReceived", bytes: Uint8Array.of(1, 0x1f, 2) },
  { kind: "tcpEnded" },
  { kind: "tcpBroken" },
]

/** Answers what does not belong: actions of a connection that is not, or more bytes than the input explains. */
function faultOf(
  actions: readonly CableAction[],
  input: CableInput,
  connection: { isThere: boolean },
): string | null {
  let written = 0
  let delivered = 0
  for (const action of actions) {
    if (action.kind === "write") written += action.bytes.byteLength
    if (action.kind === "deliver") delivered += action.bytes.byteLength
    const begins = action.kind === "accept" || action.kind === "dial"
    const ends = action.kind === "end" || action.kind === "reset"
    const needs = ends || action.kind === "deliver" || action.kind === "drain"
    if (begins === connection.isThere && (begins || needs)) return `${action.kind} out of turn`
    if (begins) connection.isThere = true
    if (ends) connection.isThere = false
  }
  const bytes = input.kind === "received" ? input.bytes.byteLength : 0
  if (delivered > bytes) return `${delivered} bytes delivered of ${bytes}`
  if (written > 100 + 8 * bytes) return `${written} bytes written for ${bytes}`
  return null
}

test.each(["server", "client"] as const)("five million bytes of noise do a %s no harm", (role) => {
  const random = seededRandom()
  const end = new CableEnd({ role })
  end.handle({ kind: "started" }, atMs(0))
  const connection = { isThere: false }
  const seen = new Map<string, number>()
  let nowMs = 0
  for (let fed = 0; fed < 5_000_000; ) {
    const bytes = noise(role, random)
    fed += bytes.byteLength
    const inputs: CableInput[] = [{ kind: "received", bytes }]
    if (random.next() < 0.3) inputs.push({ kind: "timePassed" })
    if (random.next() < 0.5) inputs.push(elsewhere[Math.floor(random.next() * elsewhere.length)]!)
    if (random.next() < 0.5)
      inputs.unshift({ kind: role === "server" ? "clientsWaited" : "dialed", count: 1 })
    for (const input of inputs) {
      nowMs += Math.floor(random.next() * 100)
      const actions = end.handle(input, atMs(nowMs))
      expect(faultOf(actions, input, connection), `seed ${random.seed}`).toBeNull()
      for (const { kind } of actions) seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
  }
  const all = [
    role === "server" ? "accept" : "dial",
    "deliver",
    "drain",
    "discard",
    "reset",
    "report",
    "write",
  ]
  expect(
    all.filter((kind) => (seen.get(kind) ?? 0) < 3),
    `seed ${random.seed}`,
  ).toEqual([])
})

test("after any noise, in both directions, two ends find each other and the next connections come through", () => {
  const random = seededRandom()
  for (let round = 0; round < 40; round++) {
    const world = new TestWorld({
      pieceMs: 1,
      pieceBytes: 1 + Math.floor(random.next() * 60),
      latencyMs: random.next() * 40,
      payloadBytes: 100,
      ends: random.next() < 0.5 ? "server" : "client",
      graceMs: 100,
    })
    world.start("server")
    world.start("client")
    world.clock.advance(random.next() * 500)
    for (const role of ["server", "client"] as const) {
      for (let count = 0; count < 4; count++) {
        world.stations[role]?.receive(noise(role, random).subarray(0, 2_000))
        world.clock.advance(random.next() * 50)
      }
    }
    // A connection that only this end of it believes in ends when its program does.
    world.core("server").tell({ kind: "tcpBroken" })
    const before = world.wholeExchanges()
    for (let second = 0; second < 25; second++) world.clock.advance(1_000)
    expect(world.wholeExchanges(), `seed ${random.seed}, round ${round}`).toBeGreaterThan(before + 2)
  }
})

test("whoever is killed, how often and at whatever latency, no byte of a connection gets into another one", () => {
  const random = seededRandom()
  for (let round = 0; round < 60; round++) {
    const world = new TestWorld({
      pieceMs: 1,
      pieceBytes: 1 + Math.floor(random.next() * 60),
      latencyMs: random.next() * 300,
      // Short ones are over before a torn connection is noticed.
      payloadBytes: Math.floor(random.next() * (round % 2 === 0 ? 6 : 300)),
      ends: random.next() < 0.5 ? "server" : "client",
      graceMs: 700,
    })
    world.start("server")
    world.start("client")
    const kills = Math.floor(random.next() * 12)
    for (let kill = 0; kill < kills; kill++) {
      world.clock.advance(random.next() * 3_000)
      const victim = random.next() < 0.5 ? "server" : "client"
      world.kill(victim, random.next() < 0.5 ? "all" : "none")
      world.clock.advance(random.next() < 0.5 ? 0 : random.next() * 2_000)
      world.start(victim)
    }
    const before = world.wholeExchanges()
    for (let second = 0; second < 60; second++) world.clock.advance(1_000)
    expect(() => world.checkDeliveries(kills), `seed ${random.seed}, round ${round}`).not.toThrow()
    expect(world.wholeExchanges(), `seed ${random.seed}, round ${round}`).toBeGreaterThan(before + 2)
  }
})
