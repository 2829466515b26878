import { AppError } from "@serialcast/contract"
import express, { type Request, type Response, type Router } from "express"
import { createMemoryBudget } from "../memory-budget.ts"
import { limitBodyTime } from "../writes/limit-body-time.ts"
import { bodyBytesOf, largestBodyBytes } from "../writes/write-body.ts"
import { createControlBody } from "./control-body.ts"
import { getSettings, getSignals, patchSettings, postSignals } from "./control-device.ts"
import { knownDevice } from "./known-device.ts"
import { deleteLease, postLease } from "./lease-device.ts"
import { flagOf } from "./query.ts"
import { readHistory } from "./read-history.ts"
import { streamDevice } from "./stream-device.ts"
import { type WriteDeps, writeStreamed, writeWhole } from "./write-device.ts"

const mebibyte = 1024 * 1024
/** Memory for the bodies of all writes together, and as much for all answers of histories, in bytes. */
const budgetBytes = 64 * mebibyte

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
  const reserve = createMemoryBudget(budgetBytes)
  router
    .route("/devices/:gateway/:device/stream")
    // Express would answer HEAD by running GET, which never ends.
    .head(refuseMethod("GET"))
    .get((request, response) => streamDevice(request, response, deps))
    .all(refuseMethod("GET"))
  router
    .route("/devices/:gateway/:device/history")
    .get((request, response) => readHistory(request, response, { ...deps, reserve }))
    .all(refuseMethod("GET, HEAD"))
}

function addWrites(router: Router, deps: ApiDeps): void {
  const reserve = createMemoryBudget(budgetBytes)
  const rawBody = express.raw({ type: () => true, limit: largestBodyBytes, inflate: false })
  router.route("/devices/:gateway/:device/write").post(
    async (request, response, next) => {
      // Before the body is read: what cannot be written costs no memory.
      await knownDevice(request, response, deps)
      if (!flagOf(request, "atomic", { absent: true })) return next("route")
      reserve(bodyBytesOf(request), response)
      next()
    },
    limitBodyTime(deps.clock),
    rawBody,
    (request, response) => writeWhole(request, response, deps),
  )
  router
    .route("/devices/:gateway/:device/write")
    .post((request, response) => writeStreamed(request, response, deps))
    .all(refuseMethod("POST"))
}

function addControls(router: Router, deps: ApiDeps): void {
  const body = [limitBodyTime(deps.clock), createControlBody()]
  router
    .route("/devices/:gateway/:device/settings")
    .get((request, response) => getSettings(request, response, deps))
    .patch(body, (request: Request, response: Response) => patchSettings(request, response, deps))
    .all(refuseMethod("GET, HEAD, PATCH"))
  router
    .route("/devices/:gateway/:device/signals")
    .get((request, response) => getSignals(request, response, deps))
    .post(body, (request: Request, response: Response) => postSignals(request, response, deps))
    .all(refuseMethod("GET, HEAD, POST"))
  router
    .route("/devices/:gateway/:device/lease")
    .post(body, (request: Request, response: Response) => postLease(request, response, deps))
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
