import type { DeviceClient, StreamEvent } from "@serialcast/device-stream"
import { createDeferred, createWakeup } from "@serialcast/primitives"
import { createLogger } from "@serialcast/service-kit"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { followOwnResources, type OwnResourcesDeps } from "./own-resources.ts"

const device = "gw/dev"

/** A device that says one line. */
function deviceSaying(line: string): DeviceClient {
  const cursor = { epoch: "00000000000000aa", offset: 0, mark: 0 }
  const bytes = new TextEncoder().encode(`${line}\n`)
  const read = async function* ({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<StreamEvent> {
    yield { kind: "positioned", cursor }
    const end = { ...cursor, offset: bytes.byteLength }
    yield { kind: "bytes", cursor: end, offset: 0, timeUs: 0, bytes }
    await createWakeup().wait({ signal })
  }
  const devices = { get: () => ({ framing: null }), onChange: () => () => {} }
  // Of the client it uses no more than this.
  return { devices, device: () => ({ read }) } as unknown as DeviceClient
}

test.each(["whenReady", "apply"] as const)(
  "a stop waits for no broker: %s",
  async (waiting) => {
    const [stopping, asked, ended] = [new AbortController(), createDeferred<void>(), createDeferred<void>()]
    const never = (): Promise<never> => {
      asked.resolve()
      return new Promise(() => {})
    }
    const store: OwnResourcesDeps["store"] = {
      get: () => undefined,
      whenReady: waiting === "whenReady" ? never : async () => {},
      apply: never,
    }
    const deps = { store, clock: new FakeClock(), log: createLogger({ name: "test", level: "silent" }) }
    const { signal } = stopping
    const own = followOwnResources(
      { device, prefix: "@res", methods: ["GET"] },
      { ...deps, devices: deviceSaying("@res /temp 21.5"), count: () => {}, signal },
    )
    void own.then(ended.resolve)
    await asked.promise
    stopping.abort()
    await ended.promise
    expect(signal.aborted).toBe(true)
  },
  10_000,
)
