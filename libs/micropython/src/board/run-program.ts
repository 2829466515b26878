import { AppError } from "@serialcast/contract"
import { concatBytes, earliest } from "@serialcast/primitives"
import { errorOfTraceback } from "../repl/traceback.ts"
import type { ExecOptions, ExecResult } from "./board.ts"
import type { Session } from "./session.ts"

const defaults = { timeoutMs: 10_000, maxOutputBytes: 64 * 1024 }

export interface RunOptions extends ExecOptions {
  /** The program is over time when it says nothing for so long. Default: never. */
  readonly silenceMs?: number
}

/**
 * Runs code to its end, within its time and the room for its output; what goes beyond is interrupted. As `Board.exec`, of
 * a board that is ready.
 */
export async function runProgram(
  session: Session,
  code: string,
  options: RunOptions = {},
): Promise<ExecResult> {
  const { maxOutputBytes = defaults.maxOutputBytes, signal } = options
  refuseControls(code)
  await session.start(code, signal)
  const parts: Uint8Array[] = []
  let size = 0
  const keep = (bytes: Uint8Array) => {
    size += bytes.byteLength
    if (size > maxOutputBytes)
      throw new AppError(
        "too_large",
        `The program printed more than ${maxOutputBytes} bytes; it was interrupted.`,
      )
    parts.push(bytes)
  }
  await orStop(session, async () => {
    for await (const bytes of outputOf(session, options)) {
      const taking = Promise.resolve((options.onOutput ?? keep)(bytes))
      // Who takes the output may never come back.
      await session.unlessAborted(taking, signal)
    }
  })
  return { stdout: concatBytes(parts), stderr: await session.finish() }
}

/** As `runProgram`, for code of this library: its output as text; a traceback is an error that begins with `what`. */
export async function runOwn(
  session: Session,
  code: string,
  { what, ...options }: RunOptions & { readonly what: string },
): Promise<string> {
  const { stdout, stderr } = await runProgram(session, code, options)
  if (stderr !== "") throw errorOfTraceback(stderr, what)
  return new TextDecoder().decode(stdout)
}

/** What `work` comes to; when it throws, what runs on the board is interrupted before. */
async function orStop<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // What broke the wire breaks this too, and is the better reason.
    if (error instanceof AppError && mayStop.has(error.code)) await session.stop()
    else await session.stop().catch(() => {})
    throw error
  }
}

const mayStop: ReadonlySet<string> = new Set(["cancelled", "board_timeout", "too_large"])

async function* outputOf(
  session: Session,
  { timeoutMs = defaults.timeoutMs, silenceMs = Number.POSITIVE_INFINITY, signal }: RunOptions,
): AsyncGenerator<Uint8Array> {
  const endMs = session.deadline(timeoutMs)
  for (;;) {
    const piece = await session.output(earliest(endMs, session.deadline(silenceMs)), signal)
    if (piece === null) return
    // A program that never stops printing is over time as well.
    if (piece === "silent" || session.clock.monotonicMs() >= endMs)
      throw new AppError("board_timeout", "The program took longer than allowed; it was interrupted.")
    yield piece
  }
}

/** These mean something to the REPL, or to a port with flow control, wherever they stand. */
const controls: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 0x11, 0x13])

function refuseControls(code: string): void {
  for (let at = 0; at < code.length; at++) {
    const value = code.charCodeAt(at)
    if (!controls.has(value)) continue
    const hex = value.toString(16).padStart(2, "0")
    throw new AppError("bad_request", `The code has a control character in it: write it as \\x${hex}.`)
  }
}
