import type { Boards } from "@serialcast/boards"
import { formatAddress } from "@serialcast/contract"
import type { Board } from "@serialcast/micropython"
import type { Request, Response } from "express"
import { callerOf } from "../api/caller.ts"
import { knownDevice } from "../api/known-device.ts"
import { flagOf } from "../api/query.ts"
import type { AwaitDeps } from "../await-device.ts"
import { closeSignal } from "../close-signal.ts"
import type { EventDeps } from "../sse/serve-events.ts"

export type BoardDeps = AwaitDeps &
  Pick<EventDeps, "clock" | "turns" | "stopping"> & {
    readonly boards: Boards
  }

/**
 * Has the board that a request names for `work` alone; given up when the client goes. What is answered afterwards tells the
 * client that it is free again. `?steal=true` takes it from whoever holds it.
 */
export async function takeBoard<T>(
  request: Request,
  response: Response,
  purpose: string,
  deps: BoardDeps,
  work: (board: Board, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { devices, clock, stopping, boards } = deps
  const state = await knownDevice(request, response, deps)
  const address = formatAddress(state)
  const signal = closeSignal(response, stopping)
  const { by } = callerOf(request)
  const steal = flagOf(request, "steal", { absent: false })
  const options = { device: devices.device(address), state, by, purpose, steal, clock, signal }
  return await boards.use(address, options, (board) => work(board, signal))
}
