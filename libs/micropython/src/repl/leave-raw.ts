import { AppError } from "@serialcast/contract"
import { after } from "@serialcast/primitives"
import type { Conversation } from "./conversation.ts"
import { friendlyPrompt, rawBanner, replCode } from "./repl-codes.ts"
import type { Talk } from "./talk.ts"

const promptMs = 3_000
/** boot.py may connect to a network before raw mode is back. */
const bootMs = 10_000
const encoder = new TextEncoder()
const rebooted = encoder.encode("soft reboot")

/** Back to the friendly prompt, which is seen. Throws `board_timeout`. */
export function* leaveRaw(talk: Talk): Conversation<void> {
  yield* talk.send(replCode.friendly)
  if (!(yield* talk.past(friendlyPrompt, after(talk.nowMs, promptMs))))
    throw new AppError("board_timeout", "The board did not come back to its prompt.")
}

/** Restarts the interpreter so that boot.py and main.py run: they do when the REPL is in friendly mode. */
export function* resetAndRun(talk: Talk): Conversation<void> {
  yield* leaveRaw(talk)
  yield* talk.send(replCode.end)
  yield* seeReboot(talk)
}

/** Restarts the interpreter, and stays in raw mode: boot.py runs, main.py does not. */
export function* resetInRaw(talk: Talk): Conversation<void> {
  yield* talk.send(replCode.end)
  yield* seeReboot(talk)
  // boot.py may say whatever it likes before it.
  if (!(yield* talk.past(rawBanner, after(talk.nowMs, bootMs))))
    throw new AppError("board_timeout", "The board did not come back to raw mode behind its soft reset.")
}

function* seeReboot(talk: Talk): Conversation<void> {
  if (!(yield* talk.past(rebooted, after(talk.nowMs, promptMs))))
    throw new AppError("board_timeout", "The board did not say that it restarts.")
}
