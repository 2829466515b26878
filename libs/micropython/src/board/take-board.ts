import { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { BoardFiles } from "../files/board-files.ts"
import { createBoardFiles } from "../files/create-board-files.ts"
import { resetAndRun, resetInRaw } from "../repl/leave-raw.ts"
import type { TakenOver } from "../repl/take-over.ts"
import type { Board, ExecOptions, ExecResult, SoftResetOptions } from "./board.ts"
import { type BoardMemory, createBoardMemory } from "./board-memory.ts"
import { runProgram } from "./run-program.ts"
import { Session } from "./session.ts"
import type { Wire } from "./wire.ts"

export interface TakeBoardOptions {
  readonly clock: Clock
  /** Ends the taking, and whatever is asked of the board later; but for `leave`. */
  readonly signal: AbortSignal
  /** The port takes 11 and 13 for flow control: neither is sent, and what may have them comes as text. Default: false. */
  readonly softwareFlowControl?: boolean
  /** What is known of this device from before. Default: nothing. */
  readonly memory?: BoardMemory
  /** What the device said lately, a few KiB: a busy board that said its banner there is told from a stranger. */
  readonly said?: Uint8Array
  /** When the device is given up. Default: 4.5 s. */
  readonly timeoutMs?: number
  /** Uniform in [0, 1). Default: `Math.random`. */
  readonly random?: () => number
}

/**
 * Takes a MicroPython board over: what it runs is interrupted, nothing of its state is lost. Throws `not_micropython` when
 * the device shows no sign of being one, `board_busy` when it does and cannot be interrupted, `cancelled`, or what the wire
 * throws. Whoever takes a board leaves it.
 */
export async function takeBoard(wire: Wire, options: TakeBoardOptions): Promise<Board> {
  const { clock, signal, memory = createBoardMemory(), said = new Uint8Array(0) } = options
  const { timeoutMs: takeTimeoutMs = 4_500, random = Math.random } = options
  const session = new Session({ wire, clock, signal, memory, said, takeTimeoutMs, random })
  const taken = await session.takeOver().catch(async (error: unknown) => {
    const code = error instanceof AppError ? error.code : null
    // What was given up in its middle may have been a board already.
    const isTaken = code === "cancelled" || (memory.isBoard && code !== "board_busy")
    // Nobody else gets to leave it. What fails here has its reason in what failed before.
    if (isTaken) await session.leave().catch(() => {})
    throw error
  })
  return new TakenBoard(session, taken, options.softwareFlowControl ?? false)
}

class TakenBoard implements Board {
  readonly found
  readonly version
  readonly implementation
  readonly files: BoardFiles
  readonly #session: Session

  constructor(session: Session, { found, version, implementation }: TakenOver, softwareFlowControl: boolean) {
    this.found = found
    this.version = version
    this.implementation = implementation
    this.#session = session
    this.files = createBoardFiles(session, { softwareFlowControl })
  }

  exec(code: string, options?: ExecOptions): Promise<ExecResult> {
    return this.#session.alone(() => runProgram(this.#session, code, options))
  }

  softReset({ runMain = true }: SoftResetOptions = {}): Promise<void> {
    return this.#session.alone(() => this.#session.depart(runMain ? resetAndRun : resetInRaw, !runMain))
  }

  leave(): Promise<void> {
    return this.#session.leave()
  }
}
