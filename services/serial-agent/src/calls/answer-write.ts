import {
  checkCall,
  createReply,
  encodeErrorReply,
  type Receipt,
  toAppError,
  type WriteProgress,
  type WriteRequest,
  writeRequestSchema,
} from "@serialcast/contract"
import { type AnswerCall, type Call, openedDevice } from "./call.ts"

/** Makes the answer to `write` calls: each part is acknowledged, the whole is told of its progress and its outcome. */
export function createAnswerWrite(): AnswerCall {
  /** Writes whose outcome somebody will be told: a repeat of the call does not add another answer. */
  const awaited = new Set<Promise<Receipt>>()
  return async (call) => {
    const { format, request, isChecked, send } = call
    const write = isChecked ? (request as WriteRequest) : checkCall(writeRequestSchema, request)
    const { id, part } = write
    const outcome = submit(call, write)
    if (part !== undefined) send(createReply({ id, part }, {}, format))
    if (outcome === null || awaited.has(outcome)) return
    awaited.add(outcome)
    try {
      send(createReply({ id }, { receipt: await outcome }, format))
    } catch (error) {
      send(encodeErrorReply({ id }, toAppError(error), format))
    } finally {
      awaited.delete(outcome)
    }
  }
}

/** null while parts are missing. */
function submit(call: Call, write: WriteRequest): Promise<Receipt> | null {
  const { client, format, send } = call
  const { writes, parts } = openedDevice(call)
  const { id } = write
  const onProgress = (progress: WriteProgress) => send(createReply({ id }, { progress }, format))
  if (write.parts === undefined) return writes.submit({ ...write, client, onProgress })
  const known = writes.find(client, id)
  if (known !== undefined) return known
  const bytes = parts.add(client, write)
  return bytes === null ? null : writes.submit({ ...write, client, bytes, onProgress })
}
