import { constants, openSync } from "node:fs"
import { createDeferred, type Deferred } from "@serialcast/primitives"
import { eventually, openPty } from "@serialcast/testkit"
import { LinuxPortBinding } from "@serialport/bindings-cpp"
import { expect, onTestFinished, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { errorOf } from "../testing/error-of.ts"
import { PortRecord } from "../testing/port-record.ts"
import { TtyPort } from "./tty-port.ts"

/** A binding whose calls the kernel holds until the test answers them, as a driver does whose adapter hangs. */
class HeldBinding extends LinuxPortBinding {
  readonly gets: Deferred<void>[] = []
  readonly drains: Deferred<void>[] = []

  override async get() {
    await hold(this.gets)
    return { cts: true, dsr: true, dcd: true, lowLatency: false }
  }

  override async drain() {
    await hold(this.drains)
  }
}

async function hold(calls: Deferred<void>[]): Promise<void> {
  const call = createDeferred<void>()
  calls.push(call)
  await call.promise
}

async function openHeld() {
  const pty = await openPty()
  onTestFinished(() => pty[Symbol.asyncDispose]())
  const fd = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  const binding = new HeldBinding(fd, {} as LinuxPortBinding["openOptions"])
  const heard = new PortRecord()
  const port = new TtyPort(binding, {
    readRestMs: 0,
    listener: heard,
    onRefusals: () => {},
    settings: defaultSettings,
    refusals: [],
  })
  return { pty, binding, heard, port }
}

const tick = () => new Promise(setImmediate)

test("the descriptor is not closed under a call that the kernel holds, as its number might be another port's then", async () => {
  const { binding, heard, port } = await openHeld()
  const reading = errorOf(port.readLines())
  const closed = port.close()
  expect(await reading).toEqual(new Error("closed by the agent"))
  await tick()
  expect([binding.isOpen, heard.closes]).toEqual([true, []])
  binding.gets[0]?.resolve()
  await closed
  expect(binding.isOpen).toBe(false)
})

test("a call that the kernel holds for long does not hold up the end of the port", async () => {
  const { binding, heard, port } = await openHeld()
  const reading = errorOf(port.readLines())
  await port.close()
  await reading
  expect([binding.isOpen, heard.closes]).toEqual([true, [{ reason: "closed by the agent" }]])
  binding.gets[0]?.resolve()
  await eventually(() => expect(binding.isOpen).toBe(false))
})

test("however many drains are given up, at most one of them holds a thread", async () => {
  const { binding, port } = await openHeld()
  const drains = Array.from({ length: 100 }, () => errorOf(port.drain()))
  expect(binding.drains).toHaveLength(1)
  const closed = port.close()
  binding.drains[0]?.resolve()
  await Promise.all(drains)
  await tick()
  binding.drains[1]?.resolve()
  await closed
  expect(binding.drains.length).toBeLessThanOrEqual(2)
})
