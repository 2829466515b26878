import { AppError } from "@serialcast/contract"
import type { DeviceWriter } from "@serialcast/device-stream"
import { createDeferred, systemClock } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { LineWriter } from "./line-writer.ts"

/** Sessions of a device that a test plays: each write stays on its way until `take`. */
function playedDevice() {
  const events: string[] = []
  let receipts = createDeferred<void>()
  let sessions = 0
  const openWriter = (signal: AbortSignal): DeviceWriter => {
    const name = `session ${++sessions}`
    const refused = createDeferred<never>()
    refused.promise.catch(() => {})
    let bytes = 0
    signal.addEventListener("abort", () => {
      events.push(`${name} left`)
      refused.reject(new AppError("cancelled", "taken back"))
    })
    return {
      async write(part) {
        events.push(`${name} ${part.join(" ")}`)
        bytes += part.byteLength
      },
      async flush() {
        await Promise.race([receipts.promise, refused.promise])
        return { bytes }
      },
      configure: () => Promise.reject(new Error("not played")),
      signal: () => Promise.reject(new Error("not played")),
      [Symbol.asyncDispose]: async () => void events.push(`${name} closed`),
    }
  }
  return {
    events,
    openWriter,
    /** All that is on its way has its receipt. */
    take() {
      receipts.resolve()
      receipts = createDeferred()
    },
    refuse: (error: Error) => receipts.reject(error),
  }
}

function writerOf(openWriter: (signal: AbortSignal) => DeviceWriter) {
  const failures: string[] = []
  const onFailed = ({ code }: AppError) => void failures.push(code)
  return { failures, line: new LineWriter({ openWriter, clock: systemClock, onFailed }) }
}

test("writes go out in their order, in one session, and drained tells when they have left", async () => {
  const device = playedDevice()
  const { line } = writerOf(device.openWriter)
  await line.write(Uint8Array.of(1, 2))
  await line.write(Uint8Array.of(3))
  expect(device.events).toEqual(["session 1 1 2", "session 1 3"])
  let isDrained = false
  const drained = line.drained().then(() => {
    isDrained = true
  })
  await new Promise(setImmediate)
  expect(isDrained).toBe(false)
  device.take()
  await drained
})

test("a discard takes back what has not left, drops what waits, and what follows is written after that", async () => {
  const device = playedDevice()
  const { line, failures } = writerOf(device.openWriter)
  await line.write(Uint8Array.of(1))
  const waits = line.write(Uint8Array.of(2))
  line.discard()
  await Promise.all([waits, line.write(Uint8Array.of(3))])
  expect(device.events).toEqual(["session 1 1", "session 1 left", "session 1 closed", "session 2 3"])
  expect(failures).toEqual([])
})

test("a discard of nothing keeps the session", async () => {
  const device = playedDevice()
  const { line } = writerOf(device.openWriter)
  line.discard()
  await line.write(Uint8Array.of(1))
  const drained = line.drained()
  await new Promise(setImmediate)
  device.take()
  await drained
  line.discard()
  await line.write(Uint8Array.of(2))
  expect(device.events).toEqual(["session 1 1", "session 1 2"])
})

test("a refusal is told once, and nothing is written afterwards", async () => {
  const device = playedDevice()
  const { line, failures } = writerOf(device.openWriter)
  await line.write(Uint8Array.of(1))
  device.refuse(new AppError("lease_lost", "gone"))
  await line.drained()
  await line.write(Uint8Array.of(2))
  expect([device.events, failures]).toEqual([["session 1 1"], ["lease_lost"]])
})

test("a device that is away is a failure, not an exception", async () => {
  const { line, failures } = writerOf(() => {
    throw new AppError("device_offline", "away")
  })
  await line.write(Uint8Array.of(1))
  await line.drained()
  expect(failures).toEqual(["device_offline"])
})

test("closing takes back what has not left, and is no failure", async () => {
  const device = playedDevice()
  const { line, failures } = writerOf(device.openWriter)
  await line.write(Uint8Array.of(1))
  await line.close()
  await line.write(Uint8Array.of(2))
  expect(device.events).toEqual(["session 1 1", "session 1 left", "session 1 closed"])
  expect(failures).toEqual([])
})
