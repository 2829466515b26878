import { useBoard } from "@serialcast/boards"
import { AppError } from "@serialcast/contract"
import type { Board } from "@serialcast/micropython"
import type { CommandContext } from "../command/context.ts"
import type { OptionTable, OptionValues } from "../command/options.ts"
import { chooseDevice } from "../gateway/choose-device.ts"
import { connectionOptions, connectToGateway } from "../gateway/connect.ts"

export const boardOptions = {
  ...connectionOptions,
  steal: { type: "boolean", help: "Take the board from whoever holds it" },
} as const satisfies OptionTable

export interface BoardCall {
  readonly values: OptionValues<typeof boardOptions>
  /** The device, as it was given. */
  readonly given: string | undefined
  /** What terminals show meanwhile. */
  readonly purpose: string
  /** How far it was when it was interrupted. */
  readonly interrupted?: () => string
  readonly context: CommandContext
}

/**
 * Has the board of a device for `work` alone, and says when that ended a program. At Ctrl-C it throws `cancelled`, when the
 * board is free again.
 */
export async function takeBoard<T>(call: BoardCall, work: (board: Board) => Promise<T>): Promise<T> {
  const { interrupted, context } = call
  try {
    return await haveBoard(call, work)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === "leased")
      throw new AppError("leased", `${error.message} --steal takes the board from them.`, { cause: error })
    if (error.code !== "cancelled" || !context.signal.aborted) throw error
    const far = interrupted === undefined ? "" : `: ${interrupted()}`
    throw new AppError("cancelled", `Interrupted${far}. The board is free again.`, { cause: error })
  }
}

async function haveBoard<T>(
  { values, given, purpose, context }: BoardCall,
  work: (board: Board) => Promise<T>,
): Promise<T> {
  const { clock, signal, stderr } = context
  await using gateway = await connectToGateway(values, context)
  const { client, by } = gateway
  const address = chooseDevice(client.devices.list(), given)
  const state = client.devices.get(address)
  if (state === undefined) throw new AppError("unknown_device", `There is no device ${address} any more.`)
  const options = { device: client.device(address), state, by, purpose, steal: values.steal, clock, signal }
  return await useBoard(options, async (board) => {
    if (board.found === "program") {
      const name = given ?? address
      await stderr.write(
        `The program that ran was interrupted; serialcast reset ${name} starts main.py again.\n`,
      )
    }
    return await work(board)
  })
}
