import type { Device, ReadOptions, StreamEvent } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { ClientStream } from "./client-stream.ts"

const cursorAt = (offset: number) => ({ epoch: "00000000000000aa", offset, mark: 0 })

/** A device whose journal a test fills, one event of one byte after the other. */
class PlayedDevice implements Pick<Device, "read"> {
  readonly #news = createWakeup()
  head = 0
  readers = 0
  reads = 0

  send(bytes: number): void {
    this.head += bytes
    this.#news.wake()
  }

  async *read({ from = { kind: "now" }, signal }: ReadOptions): AsyncGenerator<StreamEvent> {
    this.readers++
    this.reads++
    try {
      let at = from.kind === "start" ? 0 : this.head
      yield { kind: "positioned", cursor: cursorAt(at) }
      while (!signal.aborted) {
        if (at === this.head) await this.#news.wait({ signal })
        for (; at < this.head && !signal.aborted; at++)
          yield { kind: "bytes", offset: at, timeUs: 0, bytes: Uint8Array.of(at), cursor: cursorAt(at + 1) }
      }
    } finally {
      this.readers--
    }
  }
}

function setUp() {
  const device = new PlayedDevice()
  const stream = new ClientStream(device)
  const leaving = new AbortController()
  const events = stream.read({ from: { kind: "start" }, signal: leaving.signal })
  /** The offset of the next bytes; undefined at the end. */
  const next = async () => {
    for (;;) {
      const { value, done } = await events.next()
      if (done) return undefined
      if (value.kind === "bytes") return value.offset
    }
  }
  return { device, stream, leaving, next }
}

test("it delivers what the device sends, in order, and ends when its client leaves", async () => {
  const { device, leaving, next } = setUp()
  device.send(2)
  expect([await next(), await next()]).toEqual([0, 1])
  const last = next()
  leaving.abort()
  expect(await last).toBeUndefined()
  expect(device.readers).toBe(0)
})

test("its start is told when its place is found", async () => {
  const { stream, next, device, leaving } = setUp()
  const started = stream.started({})
  device.send(1)
  await next()
  await started
  await stream.started({})
  leaving.abort()
})

test("a suspended one delivers nothing, and everything when it is resumed", async () => {
  const { device, stream, next, leaving } = setUp()
  stream.suspend()
  const first = next()
  device.send(2)
  expect(await Promise.race([first, new Promise((resolve) => setImmediate(resolve, "nothing"))])).toBe(
    "nothing",
  )
  stream.resume()
  expect([await first, await next()]).toEqual([0, 1])
  leaving.abort()
})

test("a purge drops what was not delivered, and nothing that is sent after it", async () => {
  const { device, stream, next, leaving } = setUp()
  device.send(1)
  await next()
  device.send(3)
  await stream.purge()
  device.send(1)
  expect(await next()).toBe(4)
  leaving.abort()
})

test("a thousand purges look for two places, one after the other, and drop what came before the last", async () => {
  const { device, stream, next, leaving } = setUp()
  device.send(1)
  await next()
  device.send(3)
  const reads = device.reads
  await Promise.all(Array.from({ length: 1_000 }, () => stream.purge()))
  expect(device.reads - reads).toBe(2)
  device.send(1)
  expect(await next()).toBe(4)
  leaving.abort()
})

test("a purge reaches a client that is waited for, and one that is suspended", async () => {
  const { device, stream, next, leaving } = setUp()
  const waiting = next()
  await stream.purge()
  device.send(1)
  expect(await waiting).toBe(0)
  stream.suspend()
  const suspended = next()
  device.send(2)
  await stream.purge()
  stream.resume()
  device.send(1)
  expect(await suspended).toBe(3)
  leaving.abort()
})

test("of several purges the last one counts, and no reader is left behind", async () => {
  const { device, stream, next, leaving } = setUp()
  device.send(1)
  await next()
  for (let n = 0; n < 3; n++) {
    device.send(2)
    await stream.purge()
  }
  device.send(1)
  expect(await next()).toBe(7)
  const last = next()
  leaving.abort()
  await last
  await new Promise((resolve) => setImmediate(resolve))
  expect(device.readers).toBe(0)
})

test("a purge before the reading and after its end does nothing", async () => {
  const { device, stream, next, leaving } = setUp()
  await stream.purge()
  device.send(1)
  expect(await next()).toBe(0)
  const last = next()
  leaving.abort()
  await last
  await stream.purge()
  expect(device.readers).toBe(0)
})

test("a purge after the reading was given up, or while it is, leaves no reader behind", async () => {
  const device = new PlayedDevice()
  const stream = new ClientStream(device)
  const { signal } = new AbortController()
  const events = stream.read({ from: { kind: "now" }, signal })
  await events.next()
  // As when the device was unplugged, and the client's connection is ended, but not closed yet.
  const purged = stream.purge()
  await events.return()
  await purged
  await stream.purge()
  await new Promise(setImmediate)
  expect(device.readers).toBe(0)
})
