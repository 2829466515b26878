import { checkCall, leaseRequestSchema } from "@serialcast/contract"
import { answerOnce } from "./answer-once.ts"

/** Gives the caller the lease of the device, or more time with it. */
export const answerLease = answerOnce({
  verb: "lease",
  check: (request) => checkCall(leaseRequestSchema, request),
  act: ({ lease }, request) => ({ lease: lease.take(request) }),
})
