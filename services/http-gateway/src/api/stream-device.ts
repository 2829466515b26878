import { formatAddress } from "@serialcast/contract"
import { readMessages } from "@serialcast/device-stream"
import type { Request, Response } from "express"
import { answerOrLeave } from "../await-device.ts"
import { parseEncoding } from "../sse/encodings.ts"
import { createEventFormat } from "../sse/event-format.ts"
import type { EventStream } from "../sse/event-stream.ts"
import { createLineFormat } from "../sse/line-format.ts"
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
  const encoding = parseEncoding(query.get("encoding") ?? "hex")
  const [from, stream] = [startPointOf(request, query.get("from")), streamOf(query)]
  const address = formatAddress(device)
  const source = deps.devices.device(address)
  const options = {
    address,
    kind: "stream" as const,
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
  if (encoding !== "lines") {
    const read = (signal: AbortSignal) => source.read({ from, stream, signal })
    const format = createEventFormat(deps.encodings.create(encoding))
    return await serveEvents(response, { ...options, read, format }, deps)
  }
  const state = () => deps.devices.devices.get(address)
  const read = (signal: AbortSignal) =>
    readMessages(source, { from, stream, state, signal, clock: deps.clock })
  await serveEvents(response, { ...options, read, format: createLineFormat() }, deps)
}
