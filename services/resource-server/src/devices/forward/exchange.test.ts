import type { Mark } from "@serialcast/contract"
import type { Device, StreamEvent } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { exchange } from "./exchange.ts"

const epoch = "00000000000000aa"
const encode = (text: string) => new TextEncoder().encode(text)
const startedUs = 1_000_000

/** A stream that has nothing at first; each reader gets what is told from its start on. */
function createStream() {
  const events: StreamEvent[] = []
  const news = createWakeup()
  let offset = 0
  const tell = (event: StreamEvent) => {
    events.push(event)
    news.wake()
  }
  return {
    async *read({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<StreamEvent> {
      yield { kind: "positioned", cursor: { epoch, offset: 0, mark: 0 } }
      for (let at = 0; !signal.aborted; ) {
        const event = events[at]
        if (event === undefined) await news.wait({ signal })
        else {
          at += 1
          yield event
        }
      }
    },
    say(text: string, timeUs: number) {
      const bytes = encode(text)
      const begin = offset
      offset += bytes.byteLength
      tell({ kind: "bytes", cursor: { epoch, offset, mark: 0 }, offset: begin, timeUs, bytes })
    },
    mark: (mark: Mark, timeUs: number) =>
      tell({ kind: "mark", cursor: { epoch, offset, mark: 1 }, timeUs, mark }),
  }
}

/** Asks a device that does `onWrite` when it gets the line. */
function ask(onWrite: (rx: ReturnType<typeof createStream>) => void, acquireLease?: Device["acquireLease"]) {
  const clock = new FakeClock()
  const streams = { rx: createStream(), tx: createStream() }
  let released = 0
  const lease = { fence: "f", holder: "ann", [Symbol.asyncDispose]: async () => void (released += 1) }
  const device = {
    acquireLease: acquireLease ?? (async () => lease),
    read: ({ stream = "rx", signal }: Parameters<Device["read"]>[0]) => streams[stream].read({ signal }),
    async write(bytes: Uint8Array, { id = "", by }: { readonly id?: string; readonly by: string }) {
      streams.tx.mark({ n: 0, kind: "started", id, by, bytes: bytes.byteLength }, startedUs)
      onWrite(streams.rx)
      return { bytes: bytes.byteLength, from: "", to: "", drainedUs: startedUs }
    },
    // Of a device it uses no more than this.
  } as unknown as Device
  const leaving = new AbortController()
  const answer = exchange({
    device,
    state: () => undefined,
    clock,
    by: "ann",
    line: encode("led\n"),
    match: (line) => (line[0] === 0x6c ? line : null),
    timeoutMs: 500,
    signal: leaving.signal,
  })
  answer.catch(() => {})
  return { answer, clock, leaving, released: () => released }
}

test("a line that was read before the write began is no reply, though nobody knew of it then", async () => {
  const { answer, released } = ask((rx) => {
    rx.say("led old\n", startedUs - 1)
    rx.say("x\nled new\n", startedUs + 1)
  })
  expect(await answer).toEqual(encode("led new"))
  expect(released()).toBe(1)
})

test("when the clock of the agent was set meanwhile, its times tell nothing", async () => {
  const { answer } = ask((rx) => {
    rx.mark({ n: 0, kind: "clock", stepMs: -1_000 }, startedUs - 1)
    rx.say("led\n", startedUs - 500_000)
  })
  expect(await answer).toEqual(encode("led"))
})

test("a device that goes away does not answer any more", async () => {
  const { answer, released } = ask((rx) =>
    rx.mark({ n: 0, kind: "closed", reason: "unplugged" }, startedUs + 1),
  )
  await expect(answer).rejects.toMatchObject({ code: "device_offline" })
  expect(released()).toBe(1)
})

test("who leaves ends it, and gives the device back", async () => {
  const { answer, leaving, released } = ask(() => leaving.abort())
  await expect(answer).rejects.toMatchObject({ code: "cancelled" })
  expect(released()).toBe(1)
})
