import { AppError } from "@serialcast/contract"
import { ByteQueue, type Clock, createWakeup, systemClock } from "@serialcast/primitives"
import type { Wire } from "../board/wire.ts"
import type { GenuineBoard } from "./genuine-board.ts"
import { PacedLine } from "./paced-line.ts"

export interface BoardWireOptions {
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Default: all arrives at once. */
  readonly pace?: { readonly bytesPerSecond: number; readonly latencyMs: number }
}

/** A wire to a board; the board has one at a time. */
export function createBoardWire(
  board: GenuineBoard,
  { clock = systemClock, pace }: BoardWireOptions = {},
): Wire {
  const came = new ByteQueue()
  const wakeup = createWakeup()
  const hear = (bytes: Uint8Array) => {
    came.push(bytes)
    wakeup.wake()
  }
  const receive = (bytes: Uint8Array) => board.receive(bytes)
  const line = (onArrived: (bytes: Uint8Array) => void) => {
    const paced = pace && new PacedLine({ ...pace, clock, onArrived })
    return paced === undefined ? onArrived : (bytes: Uint8Array) => paced.send(bytes)
  }
  const [up, down] = [line(hear), line(receive)]
  board.onSaid = up
  return {
    write: async (bytes) => down(bytes),
    read: async (waitMs) => {
      if (came.byteLength === 0) await wakeup.wait({ timeout: { clock, ms: waitMs } })
      return came.byteLength === 0 ? null : came.takeAll()
    },
  }
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
