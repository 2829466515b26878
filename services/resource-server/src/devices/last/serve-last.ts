import type { ServerResponse } from "node:http"
import { AppError, type Cursor, formatCursor, parseCursor } from "@serialcast/contract"
import { after, msUntil, unlessAborted } from "@serialcast/primitives"
import { parseEntityTags } from "@serialcast/resources"
import { sendBytes } from "../send-bytes.ts"
import type { DeviceRequest, DeviceServerDeps } from "../serve-devices.ts"
import type { LastKind, LastMessage } from "./last-messages.ts"

const maxWaitS = 60
const types: Readonly<Record<LastKind, string>> = {
  line: "text/plain; charset=utf-8",
  json: "application/json",
}

/**
 * `…/last-line` and `…/last-json`: the newest message, whose tag is the cursor behind it. 304: the client has it; 204: there is
 * none. With `?wait=` it answers as soon as there is one that the client does not have, and at the end of that time otherwise.
 */
export async function serveLast(
  kind: LastKind,
  { address, query, request, response, signal }: DeviceRequest,
  { arrivals, followers, clock, stopping }: DeviceServerDeps,
): Promise<void> {
  const endMs = after(clock.monotonicMs(), waitMsOf(query))
  const had = hadBy(request.headers["if-none-match"])
  await arrivals.need(address, signal)
  let cursors: readonly Cursor[] | null = had === "*" ? null : had
  for (;;) {
    const follower = followers.follow(address)
    await unlessAborted(follower.ready, signal)
    const last = follower.last(kind)
    // Of `*` a client has whatever there was when it asked.
    cursors ??= last === null ? [] : [last.cursor]
    if (last !== null && !isHad(last.cursor, cursors)) return sendLast(response, kind, last)
    const leftMs = msUntil(clock, endMs)
    if (leftMs <= 0 || signal.aborted) {
      if (!signal.aborted || stopping.aborted) sendNothingNew(response, last)
      return
    }
    await followers.wait(follower, leftMs, signal)
  }
}

function sendLast(response: ServerResponse, kind: LastKind, { cursor, bytes }: LastMessage): void {
  response.setHeader("ETag", `"${formatCursor(cursor)}"`)
  sendBytes(response, types[kind], bytes)
}

function sendNothingNew(response: ServerResponse, last: LastMessage | null): void {
  if (last === null) response.writeHead(204).end()
  else response.writeHead(304, { ETag: `"${formatCursor(last.cursor)}"` }).end()
}

function waitMsOf(query: URLSearchParams): number {
  const text = query.get("wait") ?? "0"
  if (/^\d{1,2}$/.test(text) && Number(text) <= maxWaitS) return Number(text) * 1000
  throw new AppError("bad_request", `wait: expected whole seconds from 0 to ${maxWaitS}.`)
}

/** The places behind what the client has; `*`: whatever there is. */
function hadBy(header: string | undefined): "*" | readonly Cursor[] {
  if (header === undefined) return []
  const tags = parseEntityTags(header)
  if (tags === undefined)
    throw new AppError("bad_request", 'If-None-Match: expected entity tags in quotes, or "*" without them.')
  return tags === "*" ? tags : tags.flatMap(({ tag }) => parseCursor(tag) ?? [])
}

/** The client may have something newer from another server, which is ahead of this one. */
function isHad({ epoch, offset }: Cursor, cursors: readonly Cursor[]): boolean {
  return cursors.some((one) => one.epoch === epoch && one.offset >= offset)
}
