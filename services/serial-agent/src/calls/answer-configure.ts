import { checkCall, configureRequestSchema } from "@serialcast/contract"
import { answerOnce } from "./answer-once.ts"
import { checkNow } from "./check-now.ts"

/** Changes settings of the port, and answers all that it has then. */
export const answerConfigure = answerOnce({
  verb: "configure",
  check: (request) => checkNow(checkCall(configureRequestSchema, request)),
  act: async ({ controls }, request, client) => ({ settings: await controls.configure(client, request) }),
})
