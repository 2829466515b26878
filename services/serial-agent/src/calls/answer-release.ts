import { checkCall, releaseRequestSchema } from "@serialcast/contract"
import { answerOnce } from "./answer-once.ts"

/** Takes the lease back from its holder. */
export const answerRelease = answerOnce({
  verb: "release",
  check: (request) => checkCall(releaseRequestSchema, request),
  act({ lease }, request) {
    lease.release(request.lease, request.outcome)
    return {}
  },
})
