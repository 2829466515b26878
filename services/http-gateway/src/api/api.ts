import { AppError, formatAddress } from "@serialcast/contract"
import express, { type Request, type Response, type Router } from "express"
import type { EventDeps } from "../sse/serve-events.ts"
import type { AcceptedWrites } from "../writes/accepted-writes.ts"
import { createBodyBudget } from "../writes/body-budget.ts"
import { largestBodyBytes, parseWrite } from "../writes/write-body.ts"
import { knownDevice } from "./known-device.ts"
import { streamDevice } from "./stream-device.ts"

export interface ApiDeps extends EventDeps {
  readonly writes: AcceptedWrites
}

/** `/api/v1`: devices, their streams, and writes. */
export function createApi(deps: ApiDeps): Router {
  const { devices } = deps
  const router = express.Router({ caseSensitive: true, strict: true })
  const reserve = createBodyBudget(largestBodyBytes)
  const rawBody = express.raw({ type: () => true, limit: largestBodyBytes, inflate: false })
  router
    .route("/devices")
    .get((_request, response) => void response.json({ devices: devices.devices.list() }))
    .all(refuseMethod("GET, HEAD"))
  router
    .route("/devices/:gateway/:device")
    .get((request, response) => void response.json(knownDevice(devices.devices, request)))
    .all(refuseMethod("GET, HEAD"))
  router
    .route("/devices/:gateway/:device/stream")
    // Express would answer HEAD by running GET, which never ends.
    .head(refuseMethod("GET"))
    .get((request, response) => streamDevice(request, response, deps))
    .all(refuseMethod("GET"))
  router
    .route("/devices/:gateway/:device/write")
    .post(
      (request, response, next) => {
        // Before the body is read: what cannot be written costs no memory.
        knownDevice(devices.devices, request)
        reserve(request, response)
        next()
      },
      rawBody,
      (request, response) => writeDevice(request, response, deps),
    )
    .all(refuseMethod("POST"))
  return router
}

async function writeDevice(
  request: Request,
  response: Response,
  { devices, writes }: ApiDeps,
): Promise<void> {
  const address = formatAddress(knownDevice(devices.devices, request))
  const body: unknown = request.body
  // The parser leaves the body undefined when there is none.
  const given = body instanceof Uint8Array ? body : new Uint8Array(0)
  const write = parseWrite(request.headers["content-type"], given)
  const by = `http:${request.socket.remoteAddress ?? "unknown"}`
  response.json({ device: address, ...(await writes.write({ ...write, address, by })) })
}

/** RFC 9110 §15.5.6: a 405 names the methods that there are. */
function refuseMethod(allow: string) {
  return (request: Request, response: Response): void => {
    response.setHeader("Allow", allow)
    throw new AppError("method_not_allowed", `${request.method} is not possible here; expected ${allow}.`)
  }
}
