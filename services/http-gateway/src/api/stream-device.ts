import { formatAddress } from "@serialcast/contract"
import type { Request, Response } from "express"
import { answerOrLeave } from "../await-device.ts"
import { parseEncoding } from "../sse/encodings.ts"
import { createEventFormat } from "../sse/event-format.ts"
import type { EventStream } from "../sse/event-stream.ts"
import { type EventDeps, serveEvents, startPointOf } from "../sse/serve-events.ts"
import { knownDevice } from "./known-device.ts"
import { queryOf, streamOf } from "./query.ts"

/** Milliseconds after which a browser's EventSource connects again. */
const retryMs = 500

/** `GET …/stream?from=&stream=rx|tx&encoding=hex|base64|text|lines` */
export async function streamDevice(request: Request, response: Response, deps: EventDeps): Promise<void> {
  await answerOrLeave(response, () => answer(request, response, deps))
}

async function answer(request: Request, response: Response, deps: EventDeps): Promise<void> {
  const query = queryOf(request)
  const device = await knownDevice(request, response, deps)
  const encoding = deps.encodings.create(parseEncoding(query.get("encoding") ?? "hex"), device.framing)
  const options = {
    address: formatAddress(device),
    from: startPointOf(request, query.get("from")),
    stream: streamOf(query),
    format: createEventFormat(encoding),
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
  await serveEvents(response, options, deps)
}
