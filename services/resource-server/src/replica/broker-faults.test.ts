import type { Duplex } from "node:stream"
import type { Resource } from "@serialcast/resources"
import { createMemoryBroker, eventually, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { testStore } from "../testing/test-store.ts"
import type { BrokerStore } from "./broker-store.ts"

const rounds = Number(process.env["FAULT_ROUNDS"] ?? 15)

/** A connection maker whose last connection can be cut. */
function breakable(connect: () => Duplex) {
  let last: Duplex | undefined
  return {
    connect() {
      last = connect()
      return last
    },
    cut: () => void last?.destroy(),
  }
}

test(
  "whatever is cut, all servers come to the same, and what was answered is there",
  async () => {
    const random = seededRandom()
    const message = `seed ${random.seed}`
    const broker = await createMemoryBroker()
    onTestFinished(() => broker[Symbol.asyncDispose]())
    const lines = [0, 1, 2].map(() => breakable(() => broker.connect()))
    const stores = await Promise.all(lines.map((line) => testStore(line, { maxUri: 10_000 })))
    const answered = new Map<string, string>()
    let made = 0
    /** Each writer has resources of its own, so what was answered last is what is there. */
    const write = async (store: BrokerStore, round: number, writer: number) => {
      const uri = `/${writer}/${Math.floor(round / 4)}`
      const value = new TextEncoder().encode(`${round}`)
      const base = { uri, contentType: "text/plain", value }
      answered.delete(uri)
      const outcome =
        store.get(uri) === undefined
          ? await store.apply({ kind: "add", ...base, methods: 15, origin: "api" })
          : await store.apply({ kind: "put", ...base, ifMatch: null, ifNoneMatch: null })
      if (outcome.kind !== "done") return
      made += 1
      answered.set(uri, `${round}`)
    }
    for (let round = 0; round < rounds; round++) {
      const writing = stores.map((store, writer) => write(store, round, writer).catch(() => {}))
      if (round % 5 === 2) lines[Math.floor(random.next() * 3)]?.cut()
      if (round % 13 === 7) await broker.disconnectAll()
      await Promise.all(writing)
      // A server that starts meanwhile, and goes again.
      if (round % 10 === 4) {
        const guest = await testStore(broker, { maxUri: 10_000 })
        await guest.close()
      }
      if (random.next() < 0.5) await Promise.all(stores.map((store) => store.whenReady(30_000)))
    }
    await Promise.all(stores.map((store) => store.whenReady(30_000)))
    expect(made, message).toBeGreaterThan(rounds)
    const all = [...stores, await testStore(broker)]
    await eventually(() => {
      for (const store of all) expect(seen(store), message).toEqual(seen(all[0]!))
    })
    for (const [uri, value] of answered) expect(textOf(all[0]!.get(uri)), `${message} ${uri}`).toBe(value)
    await Promise.all(all.map((store) => store.close()))
    // From the broker alone, when nobody is there who knows.
    const next = await testStore(broker)
    for (const [uri, value] of answered) expect(textOf(next.get(uri)), `${message} ${uri}`).toBe(value)
  },
  60_000 + 2_000 * rounds,
)

function seen(store: BrokerStore): unknown {
  return store.list().map(({ uri, etag, serial }) => [uri, etag, serial])
}

function textOf(resource: Resource | undefined): string | undefined {
  return resource && Buffer.from(resource.value).toString()
}
