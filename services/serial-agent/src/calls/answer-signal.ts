import { checkCall, signalRequestSchema } from "@serialcast/contract"
import { answerOnce } from "./answer-once.ts"
import { checkNow } from "./check-now.ts"

/** Sets modem lines or plays a macro of them, and answers all lines as they are then. */
export const answerSignal = answerOnce({
  verb: "signal",
  check: (request) => checkNow(checkCall(signalRequestSchema, request)),
  act: async ({ controls }, request, client) => ({ lines: await controls.signal(client, request) }),
})
