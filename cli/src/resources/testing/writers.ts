import { setTimeout as sleep } from "node:timers/promises"
import { eventually } from "@serialcast/testkit"
import type { ResourceProcesses } from "./resource-processes.ts"

const writers = 16
export const puts = 10_000

/** Changes resources one after the other, each writer its own, and knows what was answered last. */
export class Writers {
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
        if (![201, 409].includes(made.status)) throw new Error(`POST ${body}: ${made.status}`)
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
          if (response.status !== 200) throw new Error(`GET ${url}${uri}: ${response.status}`)
          return Number(await response.text())
        })
        // A writer counts up, so what came later is greater.
        if (got < value) throw new Error(`${url}${uri}: ${got}, and ${value} was answered`)
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
      if (status !== 503) throw new RangeError(`PUT ${url}${uri}: ${status}`)
    } catch (error) {
      // The server was killed, or is not there yet.
      if (!(error instanceof TypeError)) throw error
      await sleep(20)
    }
    this.failed++
  }
}
