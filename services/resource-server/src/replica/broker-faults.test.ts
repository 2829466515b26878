import type { Resource } from "@serialcast/resources"
import { FakeClock, type SeededRandom, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { SlowBroker, type SlowClient } from "../testing/slow-broker.ts"
import { type BrokerStore, createBrokerStore } from "./broker-store.ts"

const runs = Number(process.env["FAULT_RUNS"] ?? 100)
const maxUri = 12
const log = { info() {}, warn() {} }

interface Server {
  readonly client: SlowClient
  readonly store: BrokerStore
}

/** Some servers, whose connections are cut and whose processes end at any moment. */
class World {
  readonly clock = new FakeClock()
  readonly random: SeededRandom
  readonly broker: SlowBroker
  readonly servers: Server[] = []
  /** What was answered last, of those on which nothing was tried since; undefined: it was taken away. */
  readonly answered = new Map<string, string | undefined>()
  made = 0
  #names = 0
  readonly #busy = new Set<string>()

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.broker = new SlowBroker(this.random, { bringsToWildcards: this.random.next() < 0.5 })
  }

  async start(): Promise<void> {
    this.#names += 1
    const client = this.broker.client(`server-${this.#names}`)
    const { clock, random } = this
    const store = await createBrokerStore({
      broker: client,
      clock,
      log,
      maxUri,
      maxBody: 1_000_000,
      maxBytes: 1_000_000,
      random: random.next,
    })
    this.servers.push({ client, store })
  }

  pick<T>(of: readonly T[]): T | undefined {
    return of[Math.floor(this.random.next() * of.length)]
  }

  /** One change of one resource, each of which has one writer at a time: so what was answered last is what is there. */
  async change(): Promise<void> {
    const { store } = this.pick(this.servers)!
    const uri = `/${Math.floor(this.random.next() * 6)}`
    if (!store.isReady || this.#busy.has(uri)) return
    this.#busy.add(uri)
    this.answered.delete(uri)
    const text = `${Math.floor(this.random.next() * 1e9)}`
    const value = new TextEncoder().encode(text)
    const base = { uri, contentType: "text/plain", value }
    const kind = this.random.next()
    try {
      const outcome = await store.apply(
        kind < 0.2
          ? { kind: "remove", uri, recursive: false, ifMatch: null }
          : kind < 0.6
            ? { kind: "put", ...base, ifMatch: null, ifNoneMatch: null }
            : { kind: "add", ...base, methods: 15, origin: "api" },
      )
      if (outcome.kind === "refused") return
      this.made += 1
      this.answered.set(uri, kind < 0.2 ? undefined : text)
    } catch {
      // Whether it was done is not known.
      await new Promise<void>((resolve) => this.clock.startTimer(30_000, resolve))
    } finally {
      this.#busy.delete(uri)
    }
  }

  async disturb(): Promise<void> {
    const { random } = this
    const server = this.pick(this.servers)
    if (server === undefined) return
    if (random.next() < 0.5) {
      server.client.cut()
      this.clock.startTimer(random.next() * 3_000, () => server.client.connect())
    } else {
      this.servers.splice(this.servers.indexOf(server), 1)
      // Killed: whatever it was about stays as it is.
      server.client.cut()
      void server.store.close()
      await this.start()
    }
  }

  /** Lets things happen; time goes on when nothing else does. */
  async go(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      if (!this.broker.step() || this.random.next() < 0.02)
        await this.clock.advanceAsync(this.random.next() * 200)
      await settle()
    }
  }

  async calmDown(): Promise<void> {
    for (let round = 0; round < 400; round++) {
      while (this.broker.step()) await settle()
      await this.clock.advanceAsync(200)
    }
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}

test("whatever is cut or killed at any moment, all servers come to the same, and what was answered is there", async () => {
  const seed = Number(process.env["FAULT_SEED"] ?? seededRandom().seed)
  let made = 0
  for (let run = 0; run < runs; run++) {
    const message = `seed ${seed}, run ${run}`
    const world = new World(seed + run)
    for (let n = 0; n < 3; n++) await world.start()
    await world.go(300)
    for (let round = 0; round < 25; round++) {
      for (let n = 0; n < 4; n++) void world.change()
      await world.go(Math.floor(world.random.next() * 60))
      if (world.random.next() < 0.3) await world.disturb()
    }
    await world.calmDown()
    made += world.made
    const { servers } = world
    for (const { store } of servers)
      expect([store.isReady, seen(store)], message).toEqual([true, seen(servers[0]!.store)])
    check(servers[0]!.store, world, message)
    // From the broker alone, when nobody is there who knows.
    for (const { client, store } of servers.splice(0)) {
      client.cut()
      void store.close()
    }
    await world.start()
    await world.calmDown()
    check(servers[0]!.store, world, message)
    await servers[0]!.store.close()
  }
  expect(made, `seed ${seed}`).toBeGreaterThan(runs * 2)
}, 60_000)

function check(store: BrokerStore, { answered }: World, message: string): void {
  for (const [uri, text] of answered) expect(textOf(store.get(uri)), `${message}, ${uri}`).toBe(text)
  expect(store.size, message).toBeLessThanOrEqual(maxUri)
}

function seen(store: BrokerStore): unknown {
  return store.list().map(({ uri, etag, serial }) => [uri, etag, serial])
}

function textOf(resource: Resource | undefined): string | undefined {
  return resource && Buffer.from(resource.value).toString()
}
