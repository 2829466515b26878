import { AppError } from "@serialcast/contract"
import express, { type Request, type Response, type Router } from "express"
import { createHeldMemory } from "../body/held-memory.ts"
import { getSettings, getSignals, patchSettings, postSignals } from "./control-device.ts"
import { knownDevice } from "./known-device.ts"
import { deleteLease, postLease } from "./lease-device.ts"
import { readHistory } from "./read-history.ts"
import { streamDevice } from "./stream-device.ts"
import { postWrite, type WriteDeps } from "./write-device.ts"

export type ApiDeps = WriteDeps

/** `/api/v1`: devices, their streams and history, writes and control; tunnels. */
export function createApi(deps: ApiDeps): Router {
  const { devices } = deps
  const router = express.Router({ caseSensitive: true, strict: true })
  router
    .route("/devices")
    .get((_request, response) => void response.json({ devices: devices.devices.list() }))
    .all(refuseMethod("GET, HEAD"))
  router
    .route("/tunnels")
    .get((_request, response) => void response.json({ tunnels: devices.tunnels.list() }))
    .all(refuseMethod("GET, HEAD"))
  router
    .route("/devices/:gateway/:device")
    .get(async (request, response) => void response.json(await knownDevice(request, response, deps)))
    .all(refuseMethod("GET, HEAD"))
  addStreams(router, deps)
  addWrites(router, deps)
  addControls(router, deps)
  return router
}

function addStreams(router: Router, deps: ApiDeps): void {
  const memory = createHeldMemory()
  router
    .route("/devices/:gateway/:device/stream")
    // Express would answer HEAD by running GET, which never ends.
    .head(refuseMethod("GET"))
    .get((request, response) => streamDevice(request, response, deps))
    .all(refuseMethod("GET"))
  router
    .route("/devices/:gateway/:device/history")
    .get((request, response) => readHistory(request, response, { ...deps, memory }))
    .all(refuseMethod("GET, HEAD"))
}

function addWrites(router: Router, deps: ApiDeps): void {
  router
    .route("/devices/:gateway/:device/write")
    .post((request, response) => postWrite(request, response, deps))
    .all(refuseMethod("POST"))
}

function addControls(router: Router, deps: ApiDeps): void {
  router
    .route("/devices/:gateway/:device/settings")
    .get((request, response) => getSettings(request, response, deps))
    .patch((request, response) => patchSettings(request, response, deps))
    .all(refuseMethod("GET, HEAD, PATCH"))
  router
    .route("/devices/:gateway/:device/signals")
    .get((request, response) => getSignals(request, response, deps))
    .post((request, response) => postSignals(request, response, deps))
    .all(refuseMethod("GET, HEAD, POST"))
  router
    .route("/devices/:gateway/:device/lease")
    .post((request, response) => postLease(request, response, deps))
    .delete((request, response) => deleteLease(request, response, deps))
    .all(refuseMethod("DELETE, POST"))
}

/** RFC 9110 §15.5.6: a 405 names the methods that there are. */
function refuseMethod(allow: string) {
  return (request: Request, response: Response): void => {
    response.setHeader("Allow", allow)
    throw new AppError("method_not_allowed", `${request.method} is not possible here; expected ${allow}.`)
  }
}
