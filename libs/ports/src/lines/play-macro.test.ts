import { parseLineMacro } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import type { LineChange, OpenPort } from "../port-driver.ts"
import { createSimDriver } from "../sim/sim-driver.ts"
import { simEcho } from "../sim/sim-echo.ts"
import { simModem } from "../sim/sim-modem.ts"
import { errorOf } from "../testing/error-of.ts"
import { PortRecord } from "../testing/port-record.ts"
import { playMacro } from "./play-macro.ts"

const { signal } = new AbortController()

/** A port that notes when which lines were set. */
async function openNoted(clock: FakeClock, device = simModem) {
  const port = await createSimDriver(device, clock).open(defaultSettings, new PortRecord())
  const notes: (LineChange & { atMs: number })[] = []
  const noted: OpenPort = Object.assign(Object.create(port), {
    close: () => port.close(),
    async signal({ dtr, rts, break: isBreak }: LineChange) {
      await port.signal({ dtr, rts, break: isBreak })
      notes.push({ atMs: clock.monotonicMs(), dtr, rts, break: isBreak })
    },
  })
  return { port: noted, notes, lines: () => port.readLines() }
}

test("each step comes at its time, and the lines of one step together", async () => {
  const clock = new FakeClock()
  const { port, notes, lines } = await openNoted(clock)
  const playing = playMacro(parseLineMacro("D0R1|W0.1|D1R0|W0.05|D1|B1|W0.25|B0"), { port, clock, signal })
  await clock.advanceAsync(400)
  await playing
  expect(notes).toEqual([
    { atMs: 0, dtr: false, rts: true },
    { atMs: 100, dtr: true, rts: false },
    { atMs: 150, dtr: true },
    { atMs: 150, break: true },
    { atMs: 400, break: false },
  ])
  expect(await lines()).toMatchObject({ dtr: true, rts: false, cts: false, dsr: true })
  await port.close()
  expect(clock.pendingTimers).toBe(0)
})

test("a wait is never shorter than written, whatever the system's timers do", async () => {
  const times: number[] = []
  const port = { signal: async () => void times.push(performance.now()) } as unknown as OpenPort
  const steps = Array.from({ length: 30 }, () => "W0.001").join("|D1|")
  await playMacro(parseLineMacro(`D0|${steps}|D1`), { port, clock: systemClock, signal })
  const waits = times.slice(1).map((time, at) => time - times[at]!)
  expect(waits).toHaveLength(30)
  // The clock counts whole microseconds.
  expect(Math.min(...waits)).toBeGreaterThan(0.998)
})

test("ended in the middle it sets nothing more, and says so", async () => {
  const clock = new FakeClock()
  const { port, notes } = await openNoted(clock)
  const ending = new AbortController()
  const playing = playMacro(parseLineMacro("D0|W10|D1"), { port, clock, signal: ending.signal })
  const problem = errorOf(playing)
  await clock.advanceAsync(5_000)
  ending.abort()
  expect(await problem).toMatchObject({ code: "cancelled" })
  expect(notes).toHaveLength(1)
  await port.close()
})

test("on a port without lines it fails before it waits", async () => {
  const clock = new FakeClock()
  const { port } = await openNoted(clock, simEcho)
  const playing = playMacro(parseLineMacro("D0|W10"), { port, clock, signal })
  await expect(playing).rejects.toMatchObject({ code: "no_modem_lines" })
  await port.close()
})
