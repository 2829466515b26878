import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError, formatCursor, notHex } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { decodeHex } from "@serialcast/primitives"
import { answerError, type Logger, problemDocument } from "@serialcast/service-kit"
import { answerOrLeave, awaitDevice } from "../await-device.ts"
import type { ByteEncoding } from "../sse/encodings.ts"
import type { EventStream, ServerEvent } from "../sse/event-stream.ts"
import { type EventDeps, serveEvents, startPointOf, stateEvent } from "../sse/serve-events.ts"
import type { AcceptedWrites } from "../writes/accepted-writes.ts"
import { sendErrorPage } from "./error-page.ts"
import { type HexTarget, parseHexTarget } from "./hex-target.ts"

/** Most bytes that one request writes: the original's request line holds 65,536 characters. */
const mostBytes = 32_754

export interface HexServerDeps extends EventDeps {
  readonly log: Logger
  readonly writes: AcceptedWrites
  /** `<gateway>/<device>` of requests that name none. */
  readonly defaultDevice: string
}

/**
 * The protocol of the original serial HTTP server: `GET /readbytes` and `GET /writebytes/<hex>`, on the default device
 * or below `/devices/<gateway>/<device>`. Answers whether the request was one of its.
 */
export function createHexServer(
  deps: HexServerDeps,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const target = parseHexTarget(request.url ?? "", deps.defaultDevice)
    if (target === undefined) return false
    serve(request, response, target, deps).catch((error: unknown) =>
      answerError(error, response, deps.log, sendPage),
    )
    return true
  }
}

function sendPage(response: ServerResponse, error: AppError): void {
  // Of an answer that has begun, only the end can tell.
  if (response.headersSent) response.destroy()
  else sendErrorPage(response, statusOf(error), messageOf(error))
}

/** The original knows 400 for what is malformed and 500 for a device that cannot be written to. */
function statusOf({ code, status }: AppError): number {
  if (code === "unknown_device") return 404
  return status < 500 ? status : 500
}

function messageOf(error: AppError): string {
  const { detail } = problemDocument(error)
  if (error.code !== "unknown_device") return detail
  return `${detail} Set http.defaultDevice, or ask below /devices/<gateway>/<device>.`
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  target: HexTarget,
  deps: HexServerDeps,
): Promise<void> {
  if (request.method !== "GET") {
    response.setHeader("Allow", "GET")
    return sendErrorPage(response, 405, `Expected GET, found ${request.method ?? "nothing"}.`)
  }
  const { address } = target
  if (target.kind === "read") {
    return await answerOrLeave(response, () => readBytes(request, response, address, deps))
  }
  if (target.digits.length > 2 * mostBytes) {
    throw new AppError("uri_too_long", `One request writes at most ${mostBytes} bytes.`)
  }
  const bytes = decodeHex(target.digits)
  if (bytes === undefined) throw notHex(target.digits)
  await awaitDevice(address, response, deps)
  await writeBytes(request, response, { address, bytes }, deps)
}

async function writeBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { address, bytes }: { address: string; bytes: Uint8Array },
  { writes }: HexServerDeps,
): Promise<void> {
  // Also with no bytes at all: users probe so whether the device is there.
  await writes.write({ address, bytes, by: `http:${request.socket.remoteAddress ?? "unknown"}` })
  response.writeHead(200, { "Cache-Control": "no-cache", "Content-Type": "text/plain", "Content-Length": 2 })
  response.end("Ok")
}

async function readBytes(
  request: IncomingMessage,
  response: ServerResponse,
  address: string,
  deps: HexServerDeps,
): Promise<void> {
  const { devices } = deps
  await awaitDevice(address, response, deps)
  // The original's head has neither: the stream ends with its connection.
  response.removeHeader("Transfer-Encoding")
  response.removeHeader("Connection")
  const from = startPointOf(request, null)
  const options = {
    address,
    kind: "hex" as const,
    read: (signal: AbortSignal) => devices.device(address).read({ from, stream: "rx", signal }),
    format: { toEvents: hexEvents(deps.encodings.create("hex")) },
    writeHead: () =>
      void response.writeHead(200, { "Cache-Control": "no-cache", "Content-Type": "text/event-stream" }),
    async begin(events: EventStream) {
      const state = devices.devices.get(address)
      if (state?.online === false) await events.send([stateEvent(state)])
    },
  }
  await serveEvents(response, options, deps)
}

/** The original's `bytes` events with an id, so that EventSource resumes; and gaps, which must not go unsaid. */
function hexEvents(hex: ByteEncoding): (event: StreamEvent) => readonly ServerEvent[] {
  return (event) => {
    switch (event.kind) {
      case "bytes":
        return hex.encode(event)
      case "gap":
        return [{ event: "gap", data: JSON.stringify(event.gap), id: formatCursor(event.cursor) }]
      case "positioned":
      case "mark":
        return []
    }
  }
}
