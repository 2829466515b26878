import type { IncomingMessage } from "node:http"
import { AppError } from "@serialcast/contract"
import { type ByteAccount, type Clock, createDeferred, type LoopTurns } from "@serialcast/primitives"
import { BodyIntake } from "./body-intake.ts"

// A whole body of 8 MiB comes within it at 70 KB/s; it holds memory for as long.
const bodyMs = 120_000

export interface BodyOptions {
  readonly limitBytes: number
  /** What the body is held on, until the request is answered. */
  readonly account: ByteAccount
  readonly clock: Clock
  readonly turns: LoopTurns
}

/**
 * All of a body, however small the pieces in which it comes. Throws `too_large`, `overloaded` when bodies on their way leave
 * no room for more, `too_slow` when it is not there within two minutes, and `cancelled` when the client goes.
 */
export async function readBody(
  request: IncomingMessage,
  { limitBytes, account, clock, turns }: BodyOptions,
): Promise<Uint8Array> {
  refuseEncoding(request)
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge(limitBytes)
  const whole = createDeferred<void>()
  let heldBytes = 0
  const holds = (bytes: number) => {
    if (bytes === heldBytes) return true
    heldBytes = bytes
    return account.resize(bytes)
  }
  const look = () => {
    const { queue, isOver } = intake
    if (isOver && !request.complete) whole.reject(clientGone())
    else if (queue.byteLength > limitBytes) whole.reject(tooLarge(limitBytes))
    else if (!holds(queue.heldBytes)) whole.reject(noRoom())
    else if (isOver) whole.resolve()
  }
  using intake: BodyIntake = new BodyIntake(request, {
    turns,
    // Beyond the limit nothing is of use.
    hasRoom: () => intake.queue.byteLength <= limitBytes,
    onNews: look,
  })
  using _deadline = clock.startTimer(bodyMs, () => whole.reject(tooSlow()))
  // What came before, or an end that nobody would tell any more.
  look()
  await whole.promise
  return intake.queue.takeAll()
}

/** Bytes go to the device as they are; nothing here undoes a compression. Throws `bad_request`. */
export function refuseEncoding({ headers }: IncomingMessage): void {
  const encoding = headers["content-encoding"] ?? "identity"
  if (encoding.toLowerCase() === "identity") return
  throw new AppError(
    "bad_request",
    `Content-Encoding: expected none, as bodies are taken as they are; found ${JSON.stringify(encoding)}.`,
  )
}

export function clientGone(): AppError {
  return new AppError("cancelled", "The client went away.")
}

function tooLarge(limitBytes: number): AppError {
  return new AppError("too_large", `A body has at most ${limitBytes} bytes here.`)
}

/** There is no memory for more of what is large. */
export function noRoom(): AppError {
  return new AppError("overloaded", "Too many large requests are on their way.")
}

function tooSlow(): AppError {
  return new AppError("too_slow", `The body did not come within ${bodyMs / 1_000} s.`)
}
