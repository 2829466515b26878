import type { Mark } from "@serialcast/contract"
import type { DeviceWriter, StreamEvent } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { DeviceWire } from "./device-wire.ts"

const epoch = "00000000000000aa"

/** A board's device; what is in `events` is read from it. */
function startDevice() {
  const clock = new FakeClock()
  const events: StreamEvent[] = []
  const news = createWakeup()
  const written: Uint8Array[] = []
  const readings = { ended: 0 }
  const lost = new AbortController()
  const writer: DeviceWriter = {
    write: async (bytes) => void written.push(bytes),
    configure: () => Promise.reject(new Error("unused")),
    signal: () => Promise.reject(new Error("unused")),
    flush: async () => ({ bytes: 0 }),
    [Symbol.asyncDispose]: async () => {},
  }
  const device = {
    openWriter: () => writer,
    async *read({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<StreamEvent> {
      try {
        yield { kind: "positioned", cursor: { epoch, offset: 0, mark: 0 } }
        while (!signal.aborted) {
          const event = events.shift()
          if (event === undefined) await news.wait({ signal })
          else yield event
        }
      } finally {
        readings.ended += 1
      }
    },
  }
  const tell = (event: StreamEvent) => {
    events.push(event)
    news.wake()
  }
  const cursor = { epoch, offset: 0, mark: 0 }
  return {
    clock,
    written,
    readings,
    lost,
    open: () => DeviceWire.open({ device, lease: { fence: "f", lost: lost.signal }, by: "ann", clock }),
    say: (text: string) =>
      tell({ kind: "bytes", cursor, offset: 0, timeUs: 1, bytes: new TextEncoder().encode(text) }),
    mark: (mark: Mark) => tell({ kind: "mark", cursor, timeUs: 1, mark }),
    gap: () => tell({ kind: "gap", cursor, gap: { from: "a", to: "b", bytes: 3, reason: "evicted" } }),
  }
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))

test("what the board says is read in order, and a wait that was over before loses nothing", async () => {
  const { clock, open, say } = startDevice()
  await using wire = await open()
  const early = wire.read(100)
  await clock.advanceAsync(101)
  expect(text(await early)).toBeNull()
  say("one")
  say("two")
  expect(text(await wire.read(100))).toBe("one")
  expect(text(await wire.read(100))).toBe("two")
})

test.each<[string, Mark, string]>([
  ["the port is closed", { n: 0, kind: "closed", reason: "unplugged" }, "device_offline"],
  ["the port is opened", { n: 0, kind: "opened", open: 2 }, "device_offline"],
  ["somebody took the lease", { n: 0, kind: "released", holder: "ann", reason: "stolen" }, "lease_lost"],
  ["bytes were overrun", { n: 0, kind: "overrun" }, "bytes_missing"],
])("it ends when %s, behind what came before", async (_, mark, code) => {
  const device = startDevice()
  await using wire = await device.open()
  device.say("last")
  device.mark(mark)
  expect(text(await wire.read(100))).toBe("last")
  await expect(wire.read(100)).rejects.toMatchObject({ code })
})

test("it ends at a gap", async () => {
  const { open, gap } = startDevice()
  await using wire = await open()
  gap()
  await expect(wire.read(100)).rejects.toMatchObject({ code: "bytes_missing" })
})

test("it ends while it waits when the lease is lost", async () => {
  const { open, lost } = startDevice()
  await using wire = await open()
  const waiting = wire.read(60_000)
  lost.abort()
  await expect(waiting).rejects.toMatchObject({ code: "lease_lost" })
})

test("marks of others end nothing, and what is written goes to the device", async () => {
  const { written, open, mark, say } = startDevice()
  await using wire = await open()
  await wire.write(Uint8Array.of(3))
  mark({ n: 0, kind: "break", by: "bob" })
  say("x")
  expect(text(await wire.read(100))).toBe("x")
  expect(written).toEqual([Uint8Array.of(3)])
})

test.each(["between two pieces", "while it waits"])("disposing it ends the reading: %s", async (when) => {
  const { readings, open, say } = startDevice()
  {
    await using wire = await open()
    if (when === "between two pieces") {
      say("one")
      await wire.read(100)
    } else void wire.read(60_000).catch(() => {})
  }
  expect(readings.ended).toBe(1)
})
