import type { DeviceLease, DeviceWriter, StreamEvent } from "@serialcast/device-stream"
import { TestBoard } from "@serialcast/ports/testing"
import { ByteQueue, createWakeup } from "@serialcast/primitives"
import { createDeviceState } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import type { UseBoardOptions } from "../use-board.ts"

const cursor = { epoch: "00000000000000aa", offset: 0, mark: 0 }

/** A device with genuine MicroPython, as `useBoard` sees it. */
export async function startBoardDevice() {
  const board = await TestBoard.start()
  onTestFinished(() => board.close())
  await board.readUntil(">>> ")
  const said = new ByteQueue()
  const news = createWakeup()
  void (async () => {
    for (;;) {
      said.push(await board.read())
      news.wake()
    }
  })()
  const counts = { leases: 0, released: 0, writes: 0 }
  const outcomes: ("failed" | "cancelled" | undefined)[] = []
  let onWrite = () => {}
  const writer: DeviceWriter = {
    async write(bytes) {
      counts.writes += 1
      await board.write(bytes)
      onWrite()
    },
    configure: () => Promise.reject(new Error("unused")),
    signal: () => Promise.reject(new Error("unused")),
    flush: async () => ({ bytes: 0 }),
    [Symbol.asyncDispose]: async () => {},
  }
  const device: UseBoardOptions["device"] = {
    async acquireLease({ outcome }) {
      counts.leases += 1
      const release = async () => {
        counts.released += 1
        outcomes.push(outcome?.())
      }
      const lost = new AbortController().signal
      const lease: DeviceLease = { fence: "f", holder: "me", lost, release, [Symbol.asyncDispose]: release }
      return lease
    },
    openWriter: () => writer,
    async *history() {},
    async *read({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<StreamEvent> {
      yield { kind: "positioned", cursor }
      while (!signal.aborted) {
        const bytes = said.takeAll()
        if (bytes.byteLength === 0) await news.wait({ signal })
        else yield { kind: "bytes", cursor, offset: 0, timeUs: 1, bytes }
      }
    },
  }
  return {
    counts,
    /** What was told at the end of each lease. */
    outcomes,
    device,
    state: createDeviceState(),
    /** Called behind each write to the board. */
    onWrite: (listener: () => void) => {
      onWrite = listener
    },
  }
}
