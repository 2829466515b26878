import { cancelRequestSchema, checkCall } from "@serialcast/contract"
import { takenBack } from "../writes/write-queue.ts"
import { answerOnce } from "./answer-once.ts"

/** Takes a write of the same client back: one that waits, is being written, or did not come whole. */
export const answerCancel = answerOnce({
  verb: "cancel",
  check: (request) => checkCall(cancelRequestSchema, request),
  act({ parts, writes }, { write }, client) {
    const unfinished = parts.drop(client, write)
    if (unfinished === undefined) return { cancelled: writes.cancel(client, write) }
    // A repeat asks for the outcome.
    writes.refuse(unfinished, takenBack()).catch(() => {})
    return { cancelled: true }
  },
})
