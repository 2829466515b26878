import { AppError, formatAddress, formatCursor, type Gap } from "@serialcast/contract"
import type { Request, Response } from "express"
import type { HeldMemory } from "../body/held-memory.ts"
import { collectPart } from "../history/collect-part.ts"
import { sendPart } from "../history/send-part.ts"
import type { EventDeps } from "../sse/serve-events.ts"
import { parseHistoryQuery } from "./history-query.ts"
import { knownDevice } from "./known-device.ts"
import { queryOf } from "./query.ts"

// For all pages of an answer together: what has come by then is answered, `Next-Cursor` says the rest.
const deadlineMs = 10_000

export interface HistoryDeps extends EventDeps {
  /** For answers. */
  readonly memory: HeldMemory
}

/**
 * `GET …/history?from=&to=&stream=&maxBytes=`: exactly the bytes from one place on, up to another, a gap, or `maxBytes`;
 * `Next-Cursor` says where to go on. All of it is read before the head is sent, because only then that is known.
 */
export async function readHistory(request: Request, response: Response, deps: HistoryDeps): Promise<void> {
  const { clock, turns, stopping, memory, readers } = deps
  const address = formatAddress(await knownDevice(request, response, deps))
  const device = deps.devices.device(address)
  const { maxBytes, ...range } = parseHistoryQuery(queryOf(request))
  using _counted = readers.begin(address, "history")
  const account = memory.open(response)
  const gone = new AbortController()
  const reading = new AbortController()
  const end = () => reading.abort()
  response.once("close", () => gone.abort())
  gone.signal.addEventListener("abort", end)
  stopping.addEventListener("abort", end, { signal: gone.signal })
  using deadline = clock.startTimer(deadlineMs, end)
  const isExact = range.from.kind === "cursor"
  const events = device.history({ ...range, signal: reading.signal })
  const { bytes, gap, next } = await collectPart(events, { maxBytes, isExact, account })
  deadline.cancel()
  const { byteLength } = bytes
  if (next === null || (reading.signal.aborted && byteLength === 0))
    throw new AppError("no_reply", "The history did not come in time.")
  response.setHeader("Next-Cursor", formatCursor(next))
  if (isExact && gap !== null) throw new AppError("not_kept", sentenceOf(gap))
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": byteLength })
  await sendPart(response, bytes, { account, clock, turns, signal: gone.signal })
}

function sentenceOf({ from, to, bytes, reason }: Gap): string {
  if (reason === "unread") return `At ${from} bytes may be missing that nobody read; nobody knows how many.`
  return `The ${bytes === null ? "" : `${bytes} `}bytes from ${from} to ${to} are not kept any more.`
}
