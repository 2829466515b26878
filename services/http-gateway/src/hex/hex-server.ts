import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError, type DeviceState, formatCursor, toAppError } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { decodeHex } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { createEncoding } from "../sse/encodings.ts"
import type { EventStream, ServerEvent } from "../sse/event-stream.ts"
import { type EventDeps, serveEvents, startPointOf } from "../sse/serve-events.ts"
import { sendErrorPage } from "./error-page.ts"
import { type HexTarget, parseHexTarget } from "./hex-target.ts"

/** Longest request line that the original server reads, its line end included. */
const longestRequestLine = 65_536
/** Most bytes that one request line of that length can carry. */
const mostBytes = 32_754
const outerLength = "GET  HTTP/1.1\r\n".length

export interface HexServerDeps extends EventDeps {
  readonly log: Logger
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
    serve(request, response, target, deps).catch((error: unknown) => {
      const known = toAppError(error)
      if (known.code === "internal") deps.log.error({ err: error }, "hex request failed")
      if (response.headersSent) response.destroy()
      else sendErrorPage(response, statusOf(known), known.message)
    })
    return true
  }
}

/** The original knows 400 for what is malformed and 500 for a device that cannot be written to. */
function statusOf({ code, status }: AppError): number {
  if (code === "unknown_device") return 404
  return status < 500 ? status : 500
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
  if (target.kind === "read") return await readBytes(request, response, target.address, deps)
  if ((request.url ?? "").length + outerLength > longestRequestLine || target.digits.length > 2 * mostBytes) {
    throw new AppError("uri_too_long", `One request writes at most ${mostBytes} bytes.`)
  }
  const bytes = decodeHex(target.digits)
  if (bytes === undefined)
    throw new AppError("bad_hex", "Expected pairs of hex digits and nothing else after /writebytes/.")
  await writeBytes(request, response, { address: target.address, bytes }, deps)
}

async function writeBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { address, bytes }: { address: string; bytes: Uint8Array },
  { devices }: HexServerDeps,
): Promise<void> {
  // Also with no bytes at all: users probe so whether the device is there.
  await devices.device(address).write(bytes, { by: `http:${request.socket.remoteAddress ?? "unknown"}` })
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
  // The original's head has neither: the stream ends with its connection.
  response.removeHeader("Transfer-Encoding")
  response.removeHeader("Connection")
  let forget = () => {}
  const options = {
    address,
    from: startPointOf(request, null),
    stream: "rx",
    toEvents: hexEvents,
    writeHead: () =>
      void response.writeHead(200, { "Cache-Control": "no-cache", "Content-Type": "text/event-stream" }),
    async begin(events: EventStream) {
      const state = devices.devices.get(address)
      if (state?.online === false) await sendState(events, state)
      forget = devices.devices.onChange((changed) => {
        if (`${changed.gateway}/${changed.device}` === address) void sendState(events, changed)
      })
    },
  } as const
  try {
    await serveEvents(request, response, options, deps)
  } finally {
    forget()
  }
}

const hex = createEncoding("hex")

/** The original's `bytes` events with an id, so that EventSource resumes; and gaps, which must not go unsaid. */
function hexEvents(event: StreamEvent): readonly ServerEvent[] {
  switch (event.kind) {
    case "bytes":
      return [hex.encode(event)].filter((encoded) => encoded !== null)
    case "gap":
      return [{ event: "gap", data: JSON.stringify(event.gap), id: formatCursor(event.cursor) }]
    case "positioned":
    case "mark":
      return []
  }
}

function sendState(events: EventStream, { online, problem }: DeviceState): Promise<void> {
  return events.send({ event: "state", data: JSON.stringify({ online, problem }) })
}
