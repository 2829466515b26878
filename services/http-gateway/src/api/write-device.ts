import { AppError, formatAddress } from "@serialcast/contract"
import type { Request, Response } from "express"
import type { EventDeps } from "../sse/serve-events.ts"
import type { AcceptedWrites } from "../writes/accepted-writes.ts"
import { streamWrite } from "../writes/stream-write.ts"
import { isJson, parseWrite } from "../writes/write-body.ts"
import { callerOf } from "./caller.ts"
import { knownDevice } from "./known-device.ts"

export interface WriteDeps extends EventDeps {
  readonly writes: AcceptedWrites
}

/** `POST …/write`: the whole body is one write. */
export async function writeWhole(request: Request, response: Response, deps: WriteDeps): Promise<void> {
  const address = formatAddress(await knownDevice(request, response, deps))
  const body: unknown = request.body
  // The parser leaves the body undefined when there is none.
  const given = body instanceof Uint8Array ? body : new Uint8Array(0)
  const write = parseWrite(request.headers["content-type"], given)
  response.json({
    device: address,
    ...(await deps.writes.write({ ...write, ...callerOf(request), address })),
  })
}

/** `POST …/write?atomic=false`: the body, of any length, is written while it comes in. */
export async function writeStreamed(request: Request, response: Response, deps: WriteDeps): Promise<void> {
  const address = formatAddress(await knownDevice(request, response, deps))
  if (isJson(request.headers["content-type"]))
    throw new AppError("bad_request", "With atomic=false the body is the bytes as they are; found JSON.")
  const target = { device: deps.devices.device(address), caller: callerOf(request) }
  response.json({ device: address, ...(await streamWrite(request, response, target, deps)) })
}
