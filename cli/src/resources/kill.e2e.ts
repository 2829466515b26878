import { setTimeout as sleep } from "node:timers/promises"
import { eventually, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { type ResourceProcesses, startResourceProcesses } from "./testing/resource-processes.ts"

const writers = 16
const puts = 10_000

/** Changes resources one after the other, each writer its own, and knows what was answered last. */
class Writers {
  readonly #urls: readonly string[]
  readonly #answered = new Map<string, number>()
  done = 0
  failed = 0

  constructor({ urls }: ResourceProcesses) {
    this.#urls = urls
  }

  async make(): Promise<void> {
    for (let writer = 0; writer < writers; writer++) {
      const body = JSON.stringify({ uri: `/w/${writer}`, value: "-1" })
      await eventually(async () => {
        const made = await fetch(`${this.#urls[0]}/api/v1/resources`, { method: "POST", body })
        expect([201, 409]).toContain(made.status)
      })
    }
  }

  async write(): Promise<void> {
    let next = 0
    const writer = async (uri: string) => {
      for (let value = next++; value < puts; value = next++) await this.#put(uri, value)
    }
    await Promise.all(Array.from({ length: writers }, (_, at) => writer(`/w/${at}`)))
  }

  /** With every server, what was answered last is there, or what was sent after it and not answered. */
  async check(): Promise<void> {
    for (const url of this.#urls)
      for (const [uri, value] of this.#answered) {
        const got = await eventually(async () => {
          const response = await fetch(url + uri, { signal: AbortSignal.timeout(10_000) })
          expect(response.status).toBe(200)
          return Number(await response.text())
        })
        // A writer counts up, so what came later is greater.
        expect(got, `${url}${uri}`).toBeGreaterThanOrEqual(value)
      }
  }

  async #put(uri: string, value: number): Promise<void> {
    const url = this.#urls[value % this.#urls.length] ?? ""
    const headers = { "Content-Type": "text/plain" }
    try {
      const options = { method: "PUT", headers, body: `${value}`, signal: AbortSignal.timeout(20_000) }
      const { status } = await fetch(url + uri, options)
      if (status === 204) {
        this.done++
        this.#answered.set(uri, value)
        return
      }
      expect(status, `PUT ${url}${uri}`).toBe(503)
    } catch (error) {
      // The server was killed, or is not there yet.
      if (!(error instanceof TypeError)) throw error
      await sleep(20)
    }
    this.failed++
  }
}

test.each([
  ["a server", ["server"]],
  ["the broker", ["broker"]],
  ["the broker and a server", ["broker", "server"]],
  ["everything", ["broker", "server", "other server"]],
] as const)(
  "kill -9 of %s in the middle of 10,000 PUTs loses nothing that was answered",
  async (_what, victims) => {
    const random = seededRandom()
    const processes = await startResourceProcesses({ servers: 2 })
    onTestFinished(() => processes[Symbol.asyncDispose]())
    const { broker, servers, failed } = processes
    const all = { broker, server: servers[0]!, "other server": servers[1]! }
    const writing = new Writers(processes)
    await Promise.race([writing.make(), failed])
    let isWriting = true
    const kills = (async () => {
      for (let at = 1; at < 5 && isWriting; at++) {
        const from = writing.done + writing.failed
        await eventually(
          () => expect(!isWriting || writing.done > from + 300 + random.next() * 600).toBe(true),
          {
            timeoutMs: 120_000,
          },
        )
        await Promise.all(victims.map((victim) => all[victim].kill()))
        for (const victim of victims) all[victim].start()
      }
    })()
    await Promise.race([writing.write(), failed])
    isWriting = false
    await kills
    expect(writing.done, `seed ${random.seed}`).toBeGreaterThan(puts / 4)
    await writing.check()
    // From the disk alone.
    for (const one of [broker, ...servers]) await one.kill()
    for (const one of [broker, ...servers]) one.start()
    await writing.check()
  },
)
