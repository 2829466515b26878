import { checkCall, purgeRequestSchema } from "@serialcast/contract"
import { answerOnce } from "./answer-once.ts"

/** Drops what was written and not sent. */
export const answerPurge = answerOnce({
  verb: "purge",
  check: (request) => checkCall(purgeRequestSchema, request),
  async act({ controls }, request, client) {
    await controls.purge(client, request)
    return {}
  },
})
