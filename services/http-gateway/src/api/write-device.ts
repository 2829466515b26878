import { AppError, formatAddress, maxSessionBytes } from "@serialcast/contract"
import type { LoopTurns } from "@serialcast/primitives"
import type { Request, Response } from "express"
import { mostWaiting } from "../body/body-pieces.ts"
import type { HeldMemory } from "../body/held-memory.ts"
import { noRoom, readBody, refuseEncoding } from "../body/read-body.ts"
import type { EventDeps } from "../sse/serve-events.ts"
import type { AcceptedWrites } from "../writes/accepted-writes.ts"
import { streamWrite } from "../writes/stream-write.ts"
import { isJson, largestBodyBytes, parseWriteBody } from "../writes/write-body.ts"
import { callerOf } from "./caller.ts"
import { knownDevice } from "./known-device.ts"
import { flagOf } from "./query.ts"

/** What is on its way to the device, and what waits for it. */
const streamedBytes = maxSessionBytes + 2 * mostWaiting

export interface WriteDeps extends EventDeps {
  readonly writes: AcceptedWrites
  /** For bodies. */
  readonly memory: HeldMemory
  readonly turns: LoopTurns
}

/** `POST …/write`: the whole body is one write; with `?atomic=false` it is written while it comes in. */
export async function postWrite(request: Request, response: Response, deps: WriteDeps): Promise<void> {
  // Before the body is read: what cannot be written costs no memory.
  const address = formatAddress(await knownDevice(request, response, deps))
  const isAtomic = flagOf(request, "atomic", { absent: true })
  refuseEncoding(request)
  const outcome = await (isAtomic ? writeWhole : writeStreamed)(address, request, response, deps)
  response.json({ device: address, ...outcome })
}

async function writeWhole(address: string, request: Request, response: Response, deps: WriteDeps) {
  const { memory, turns, clock, writes } = deps
  const account = memory.open(response)
  const body = await readBody(request, { limitBytes: largestBodyBytes, account, clock, turns })
  const write = parseWriteBody(request.headers["content-type"], body)
  return await writes.write({ ...write, ...callerOf(request), address })
}

/** A body of any length. */
async function writeStreamed(address: string, request: Request, response: Response, deps: WriteDeps) {
  if (isJson(request.headers["content-type"]))
    throw new AppError("bad_request", "With atomic=false the body is the bytes as they are; found JSON.")
  if (!deps.memory.open(response).resize(streamedBytes)) throw noRoom()
  const target = { device: deps.devices.device(address), caller: callerOf(request) }
  return await streamWrite(request, response, target, deps)
}
