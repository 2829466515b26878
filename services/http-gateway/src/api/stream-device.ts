import { AppError, formatAddress, isStreamName } from "@serialcast/contract"
import type { Request, Response } from "express"
import { createEncoding, parseEncoding } from "../sse/encodings.ts"
import { createEventFormat } from "../sse/event-format.ts"
import type { EventStream } from "../sse/event-stream.ts"
import { type EventDeps, serveEvents, startPointOf } from "../sse/serve-events.ts"
import { knownDevice } from "./known-device.ts"

/** Milliseconds after which a browser's EventSource connects again. */
const retryMs = 500

/** `GET …/stream?from=&stream=rx|tx&encoding=hex|base64|text` */
export async function streamDevice(request: Request, response: Response, deps: EventDeps): Promise<void> {
  const query = new URL(request.url, "http://localhost").searchParams
  const stream = query.get("stream") ?? "rx"
  if (!isStreamName(stream)) {
    throw new AppError("bad_request", `stream: expected rx or tx; found ${JSON.stringify(stream)}.`)
  }
  const options = {
    address: formatAddress(knownDevice(deps.devices.devices, request)),
    from: startPointOf(request, query.get("from")),
    stream,
    toEvents: createEventFormat(createEncoding(parseEncoding(query.get("encoding") ?? "hex"))),
    begin: (events: EventStream) => events.sendField(`retry: ${retryMs}`),
    writeHead() {
      response.writeHead(200, {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-cache, no-transform",
        // Proxies of nginx's kind would collect events otherwise.
        "X-Accel-Buffering": "no",
      })
    },
  }
  await serveEvents(request, response, options, deps)
}
