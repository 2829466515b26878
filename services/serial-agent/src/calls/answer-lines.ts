import { checkCall, encodeReply, linesRequestSchema } from "@serialcast/contract"
import { type AnswerCall, openedDevice } from "./call.ts"

/** Answers the modem lines as they are now. */
export const answerLines: AnswerCall = async (call) => {
  const { id } = checkCall(linesRequestSchema, call.request)
  const lines = await openedDevice(call).controls.readLines()
  call.send(encodeReply({ id }, { lines }, call.format))
}
