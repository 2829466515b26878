import { concatBytes } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { Rfc2217Client } from "./rfc2217-client.ts"
import { Rfc2217Server } from "./rfc2217-server.ts"

interface Peer {
  open(): Uint8Array
  receive(bytes: Uint8Array): { readonly events: readonly { kind: string }[]; readonly reply: Uint8Array }
}

const createServer = () => new Rfc2217Server({ signature: "server" })
const createClient = () => new Rfc2217Client({ signature: "client" })

/** Two peers and what is under way between them. */
class Conversation {
  readonly #peers: readonly [Peer, Peer]
  readonly #underWay: [Uint8Array, Uint8Array]
  readonly events: [string[], string[]] = [[], []]
  sentBytes = 0

  constructor(first: Peer, second: Peer) {
    this.#peers = [first, second]
    this.#underWay = [first.open(), second.open()]
  }

  /** How much is under way to the peer. */
  waiting(to: 0 | 1): number {
    return this.#underWay[1 - to]?.byteLength ?? 0
  }

  deliver(to: 0 | 1, count: number): void {
    const from = to === 0 ? 1 : 0
    const { events, reply } = this.#peers[to].receive(this.#underWay[from].slice(0, count))
    this.#underWay[from] = this.#underWay[from].slice(count)
    this.#underWay[to] = concatBytes([this.#underWay[to], reply])
    this.events[to].push(...events.map(({ kind }) => kind))
    this.sentBytes += count
  }

  get isOver(): boolean {
    return this.waiting(0) === 0 && this.waiting(1) === 0
  }
}

/** Lets two peers talk in every order in which segments of one command can arrive: how the talks end. */
function everyOrder(create: () => Conversation, path: readonly (0 | 1)[] = []): Conversation[] {
  const at = create()
  for (const to of path) at.deliver(to, 3)
  expect(at.sentBytes).toBeLessThan(100)
  if (at.isOver) return [at]
  return ([0, 1] as const)
    .filter((to) => at.waiting(to) > 0)
    .flatMap((to) => everyOrder(create, [...path, to]))
}

describe("negotiation ends, in every order of arrival,", () => {
  test("between server and client, with COM-PORT agreed once on each side", () => {
    const ends = everyOrder(() => new Conversation(createServer(), createClient()))
    expect(ends.length).toBeGreaterThan(800)
    for (const { events } of ends) expect(events).toEqual([["agreed"], ["agreed"]])
  })

  test.each([
    ["two clients", createClient],
    ["two servers", createServer],
  ])("between %s", (_pair, create: () => Peer) => {
    const random = seededRandom()
    for (let round = 0; round < 500; round++) {
      const talk = new Conversation(create(), create())
      while (!talk.isOver) {
        const to = random.next() < 0.5 ? 0 : 1
        talk.deliver(to, Math.min(talk.waiting(to), 1 + Math.floor(random.next() * 7)))
        expect(talk.sentBytes, `seed ${random.seed}`).toBeLessThan(200)
      }
    }
  })
})

describe("negotiation ends with a peer that", () => {
  const agree: Readonly<Record<number, number>> = { 251: 253, 252: 254, 253: 251, 254: 252 }

  test.each<[string, (verb: number) => number]>([
    ["acknowledges every command", (verb) => agree[verb] ?? verb],
    ["says every command back", (verb) => verb],
    [
      "asks again for what was refused",
      (verb) => (verb === 254 ? 251 : verb === 252 ? 253 : (agree[verb] ?? verb)),
    ],
  ])("%s", (_habit, answer) => {
    for (const create of [createServer, createClient]) {
      const peer: Peer = create()
      let said = concatBytes([peer.open(), Uint8Array.of(255, 251, 39, 255, 253, 39)])
      let rounds = 0
      while (said.byteLength > 0) {
        const heard = said.map((byte, at) => (at % 3 === 1 ? answer(byte) : byte))
        said = peer.receive(heard).reply.slice()
        expect(rounds++).toBeLessThan(10)
      }
    }
  })
})
