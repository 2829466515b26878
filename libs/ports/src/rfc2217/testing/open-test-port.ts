import { type Clock, systemClock } from "@serialcast/primitives"
import { eventually, type FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished } from "vitest"
import { defaultSettings } from "../../default-settings.ts"
import { PortRecord } from "../../testing/port-record.ts"
import { createRfc2217Driver } from "../rfc2217-driver.ts"
import { type ServerHabits, TestDeviceServer } from "./test-device-server.ts"

class Heard extends PortRecord {
  overruns = 0

  override onOverrun(): void {
    this.overruns++
  }
}

/** Opens a port behind a server with these habits; both are gone when the test is over. */
export async function openTestPort(
  habits: ServerHabits = {},
  clock: Clock = systemClock,
  settings = defaultSettings,
) {
  const server = await TestDeviceServer.start(habits)
  const heard = new Heard()
  const notes: string[] = []
  const driver = createRfc2217Driver(server.url, { clock, onNote: (note) => notes.push(note) })
  const opening = driver.open(settings, heard)
  opening.then(
    (port) => onTestFinished(() => port.close()),
    () => {},
  )
  return { server, heard, notes, driver, opening }
}

/** Lets time go by until `work` is over. */
export async function passTime<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  work.then(over, over)
  await eventually(async () => {
    if (!isOver) await clock.advanceAsync(100)
    expect(isOver).toBe(true)
  })
  return await work
}
