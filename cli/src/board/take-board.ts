import { useBoard } from "@serialcast/boards"
import { AppError } from "@serialcast/contract"
import type { Board } from "@serialcast/micropython"
import type { CommandContext } from "../command/context.ts"
import type { OptionTable, OptionValues } from "../command/options.ts"
import { chooseDevice } from "../gateway/choose-device.ts"
import { connectionOptions, connectToGateway } from "../gateway/connect.ts"
import { escapeName } from "../terminal/escape-controls.ts"
import { isReaderGone } from "../terminal/output.ts"
import { patienceMs, waitForBoard } from "./wait-for-board.ts"

export const boardOptions = {
  ...connectionOptions,
  steal: { type: "boolean", help: "Take the board from whoever holds it, without waiting for them" },
} as const satisfies OptionTable

export interface BoardCall {
  readonly values: OptionValues<typeof boardOptions>
  /** The device, as it was given. */
  readonly given: string | undefined
  /** What terminals show meanwhile; only the beginning of a long one. */
  readonly purpose: string
  /** Starts main.py again itself: that it was interrupted is nothing to tell. */
  readonly isReset?: boolean
  /** How far it was when it was interrupted. */
  readonly interrupted?: () => string
  readonly context: CommandContext
}

/**
 * Has the board of a device for `work` alone, and says when that ended a program. While somebody else has it, it is waited
 * for, for 12 s. At Ctrl-C it throws `cancelled`, when the board is free again.
 */
export async function takeBoard<T>(call: BoardCall, work: (board: Board) => Promise<T>): Promise<T> {
  const { interrupted, context } = call
  let isTaken = false
  try {
    return await haveBoard(call, (board) => {
      isTaken = true
      return work(board)
    })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === "leased")
      throw new AppError("leased", `${error.message} --steal takes the board from them.`, { cause: error })
    if (error.code !== "cancelled" || !context.signal.aborted) throw error
    if (!isTaken) throw new AppError("cancelled", "Interrupted before the board was taken.", { cause: error })
    const far = interrupted === undefined ? "" : `: ${interrupted()}`
    throw new AppError("cancelled", `Interrupted${far}. The board is free again.`, { cause: error })
  }
}

async function haveBoard<T>(
  { values, given, purpose, isReset = false, context }: BoardCall,
  work: (board: Board) => Promise<T>,
): Promise<T> {
  const { clock, signal, stderr } = context
  await using gateway = await connectToGateway(values, context)
  const { client, by } = gateway
  const address = chooseDevice(client.devices.list(), given)
  const state = client.devices.get(address)
  if (state === undefined) throw new AppError("unknown_device", `There is no device ${address} any more.`)
  const isGivenUp = (error: unknown) => signal.aborted || isReaderGone(error)
  const device = client.device(address)
  const { steal } = values
  const options = { device, state, by, purpose: shorten(purpose), steal, clock, signal, isGivenUp }
  const take = () =>
    useBoard(options, async (board) => {
      if (board.found === "program" && !isReset) {
        const name = escapeName(given ?? address)
        await stderr.write(
          `The program that ran was interrupted; serialcast reset ${name} starts main.py again.\n`,
        )
      }
      return await work(board)
    })
  const isHeld = () => (client.devices.get(address)?.lease ?? null) !== null
  const onWait = ({ message }: AppError) =>
    stderr.write(`${escapeName(message)} Waiting for it, for ${patienceMs / 1_000} s at most.\n`)
  return await waitForBoard(take, { clock, signal, isHeld, onWait })
}

/** A lease has room for so much of any characters. */
function shorten(purpose: string): string {
  return purpose.length <= 40 ? purpose : `${purpose.slice(0, 39)}…`
}
