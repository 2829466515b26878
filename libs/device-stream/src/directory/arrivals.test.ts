import type { DeviceState } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { createDeviceState, FakeClock } from "@serialcast/testkit"
import { beforeEach, expect, test } from "vitest"
import { Arrivals } from "./arrivals.ts"

const settleMs = 5_000
const patienceMs = 10_000

let clock: FakeClock
let stopping: AbortController
/** Settled by the test: what becomes of asking the broker. */
let answer: ReturnType<typeof createDeferred<void>>
let states: Map<string, DeviceState>
let listeners: Set<(state: DeviceState) => void>
let isConnected: boolean
let arrivals: Arrivals

beforeEach(() => {
  clock = new FakeClock()
  stopping = new AbortController()
  answer = createDeferred()
  states = new Map()
  listeners = new Set()
  isConnected = true
  const client = {
    get isConnected() {
      return isConnected
    },
    whenReady: () => answer.promise,
    devices: {
      list: () => [...states.values()],
      get: (address: string) => states.get(address),
      onChange(listener: (state: DeviceState) => void) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
  }
  arrivals = new Arrivals(client, { clock, named: new Set(["local/named"]), signal: stopping.signal })
})

function announce(device: string): void {
  const state = createDeviceState({ gateway: "local", device })
  states.set(`local/${device}`, state)
  for (const listener of listeners) listener(state)
}

/** Asks for a device; `outcome` is the code that refused it, its name, or undefined while it is waited for. */
function ask(device: string, signal = new AbortController().signal): { outcome?: string } {
  const asked: { outcome?: string } = {}
  arrivals.need(`local/${device}`, signal).then(
    (state) => (asked.outcome = state.device),
    (error: { code: string }) => (asked.outcome = error.code),
  )
  return asked
}

const pass = (ms: number) => clock.advanceAsync(ms)

test("a device that is known is answered at once, whatever the broker does", async () => {
  announce("uno")
  const asked = ask("uno")
  await pass(0)
  expect(asked.outcome).toBe("uno")
})

test("who asks before the device was announced waits for it, and gets it the moment that it is", async () => {
  const asked = ask("uno")
  await pass(settleMs)
  expect(asked.outcome).toBeUndefined()
  announce("due")
  await pass(0)
  expect(asked.outcome).toBeUndefined()
  announce("uno")
  await pass(0)
  expect(asked.outcome).toBe("uno")
  expect(listeners.size).toBe(0)
})

test("an address is unknown when the broker told what it kept and late agents had their time, and at once from then on", async () => {
  const early = ask("none")
  answer.resolve()
  await pass(settleMs - 1)
  expect(early.outcome).toBeUndefined()
  await pass(1)
  expect(early.outcome).toBe("unknown_device")
  const late = ask("none")
  await pass(0)
  expect(late.outcome).toBe("unknown_device")
})

test("what is no address is unknown at once", async () => {
  const asked = ask("a/b")
  await pass(0)
  expect(asked.outcome).toBe("unknown_device")
})

test("an agent that starts after this process is in time while its devices are waited for", async () => {
  answer.resolve()
  await pass(settleMs - 1)
  const asked = ask("uno")
  announce("uno")
  await pass(0)
  expect(asked.outcome).toBe("uno")
})

test("a device that the configuration names is never unknown: it is offline until its gateway tells of it", async () => {
  answer.resolve()
  await pass(settleMs)
  const asked = ask("named")
  await pass(0)
  expect(asked.outcome).toBe("device_offline")
})

test("without a broker nothing is unknown: the wait ends, and says why", async () => {
  isConnected = false
  const asked = ask("none")
  await pass(patienceMs - 1)
  expect(asked.outcome).toBeUndefined()
  await pass(1)
  expect(asked.outcome).toBe("broker_offline")
})

test("a broker that does not answer is asked again", async () => {
  answer.reject(new Error("no answer"))
  await pass(0)
  answer = createDeferred()
  answer.resolve()
  await pass(500 + settleMs)
  const asked = ask("none")
  await pass(0)
  expect(asked.outcome).toBe("unknown_device")
})

test("who does not wait any more is let go", async () => {
  const leaving = new AbortController()
  const asked = ask("none", leaving.signal)
  leaving.abort()
  await pass(0)
  expect(asked.outcome).toBe("cancelled")
  expect(listeners.size).toBe(0)
  expect(clock.pendingTimers).toBe(0)
})
