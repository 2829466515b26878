import { AppError } from "@serialcast/contract"
import { ByteQueue, createWakeup, systemClock } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import type { Wire } from "../board/wire.ts"
import type { GenuineBoard } from "./genuine-board.ts"
import { PacedLine } from "./paced-line.ts"

export interface BoardWireOptions {
  /** Default: all arrives at once. */
  readonly pace?: { readonly bytesPerSecond: number; readonly latencyMs: number }
}

/** How often a board is looked at that does not say that it waits. */
const lookMs = 1
/** So many times as long as on this machine a board may take: it shares its processors. */
const slowness = 2
/** A step of time while bytes are on a paced line. */
const stepMs = 1

/**
 * A wire to a board, which has one at a time, and its clock. Time passes at once while the board waits for input, because
 * nothing would come; while the board computes it passes more slowly than on this machine.
 */
export function createBoardWire(
  board: GenuineBoard,
  { pace }: BoardWireOptions = {},
): { readonly wire: Wire; readonly clock: FakeClock } {
  const clock = new FakeClock()
  const came = new ByteQueue()
  const wakeup = createWakeup()
  const line = (onArrived: (bytes: Uint8Array) => void) =>
    pace && new PacedLine({ ...pace, clock, onArrived })
  const [up, down] = [line((bytes) => came.push(bytes)), line((bytes) => board.receive(bytes))]
  board.onSaid = (bytes) => {
    if (up === undefined) came.push(bytes)
    else up.send(bytes)
    wakeup.wake()
  }
  let lookedMs = performance.now()
  const passRealTime = () => {
    const nowMs = performance.now()
    // Where the pace is that of the line, what is measured is not that of this machine.
    if (pace === undefined) clock.advance((nowMs - lookedMs) / slowness)
    lookedMs = nowMs
  }
  const read = async (waitMs: number): Promise<Uint8Array | null> => {
    const endMs = clock.monotonicMs() + waitMs
    passRealTime()
    while (came.byteLength === 0 && clock.monotonicMs() < endMs) {
      // The clock counts microseconds.
      const leftMs = Math.max(0.001, endMs - clock.monotonicMs())
      if (board.isIdle) clock.advance(pace ? Math.min(stepMs, leftMs) : leftMs)
      else {
        await wakeup.wait({ timeout: { clock: systemClock, ms: lookMs } })
        passRealTime()
      }
    }
    return came.byteLength === 0 ? null : came.takeAll()
  }
  const write = async (bytes: Uint8Array) => {
    // What this thread was about before is no time that the board takes to answer.
    passRealTime()
    if (down === undefined) board.receive(bytes)
    else down.send(bytes)
  }
  return { wire: { write, read }, clock }
}

/** Cuts a wire for good when so many bytes have passed, in either direction: what comes behind them is lost. */
export function cutWire(wire: Wire, afterBytes: number, onPassed: (bytes: number) => void): Wire {
  let left = afterBytes
  const pass = (bytes: Uint8Array): Uint8Array => {
    const passed = bytes.subarray(0, left)
    left -= passed.byteLength
    onPassed(passed.byteLength)
    return passed
  }
  const refuseIfCut = () => {
    if (left === 0) throw new AppError("device_offline", "The wire is cut.")
  }
  return {
    async write(bytes) {
      refuseIfCut()
      await wire.write(pass(bytes))
      refuseIfCut()
    },
    async read(waitMs) {
      refuseIfCut()
      const bytes = await wire.read(waitMs)
      return bytes === null ? null : pass(bytes)
    },
  }
}
