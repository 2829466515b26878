import {
  AppError,
  checkCall,
  createPageReply,
  encodeReply,
  historyRequestSchema,
  maxChunkBytes,
  maxPayloadBytes,
  pageToWire,
  parseStartPoint,
} from "@serialcast/contract"
import { Gate } from "@serialcast/primitives"
import type { AnswerCall, Call } from "./call.ts"

// JSON spells bytes in hex, two characters each, and a reply is at most `maxPayloadBytes`.
const maxJsonPageBytes = maxChunkBytes / 2
// Pages are read and encoded between what the ports bring; this many at once keep the disk busy.
const maxRunning = 4
const maxWaiting = 1_000

/** Makes the answer to `history` calls of all devices: clients get their pages in turn. */
export function createAnswerHistory(): AnswerCall {
  const refusal = () => new AppError("overloaded", `${maxWaiting} requests wait already.`)
  const gate = new Gate({ maxRunning, maxWaiting, refusal })
  return async (call) => await gate.run(() => sendPage(call), call.client)
}

async function sendPage({ journal, request, isHanded, format, send }: Call): Promise<void> {
  const { id, stream, from, maxBytes } = checkCall(historyRequestSchema, request)
  const start = parseStartPoint(from)
  if (isHanded) return send(createPageReply(id, await journal.page(stream, start, maxBytes)))
  const encodePage = async (pageBytes: number) =>
    encodeReply({ id }, { page: pageToWire(await journal.page(stream, start, pageBytes)) }, format)
  let limit = format === "json" ? Math.min(maxBytes, maxJsonPageBytes) : maxBytes
  let encoded = await encodePage(limit)
  // The limit counts device bytes; marks with long names in them may take more on the wire than is left for them.
  while (encoded.byteLength > maxPayloadBytes && limit > 1) {
    limit = Math.floor(limit / 2)
    encoded = await encodePage(limit)
  }
  send(encoded)
}
