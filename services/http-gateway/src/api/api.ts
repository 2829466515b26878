import { Boards } from "@serialcast/boards"
import { refuseMethod } from "@serialcast/service-kit"
import express, { type Request, type Response, type Router } from "express"
import { runCode } from "../board/run-code.ts"
import { deleteFile, getFile, putFile } from "../board/serve-files.ts"
import type { BoardDeps } from "../board/take-board.ts"
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
    .all(only("GET, HEAD"))
  router
    .route("/tunnels")
    .get((_request, response) => void response.json({ tunnels: devices.tunnels.list() }))
    .all(only("GET, HEAD"))
  router
    .route("/devices/:gateway/:device")
    .get(async (request, response) => void response.json(await knownDevice(request, response, deps)))
    .all(only("GET, HEAD"))
  addStreams(router, deps)
  addWrites(router, deps)
  addControls(router, deps)
  addBoard(router, { ...deps, boards: new Boards() })
  return router
}

function addStreams(router: Router, deps: ApiDeps): void {
  const memory = createHeldMemory()
  router
    .route("/devices/:gateway/:device/stream")
    // Express would answer HEAD by running GET, which never ends.
    .head(only("GET"))
    .get((request, response) => streamDevice(request, response, deps))
    .all(only("GET"))
  router
    .route("/devices/:gateway/:device/history")
    .get((request, response) => readHistory(request, response, { ...deps, memory }))
    .all(only("GET, HEAD"))
}

function addWrites(router: Router, deps: ApiDeps): void {
  router
    .route("/devices/:gateway/:device/write")
    .post((request, response) => postWrite(request, response, deps))
    .all(only("POST"))
}

function addControls(router: Router, deps: ApiDeps): void {
  router
    .route("/devices/:gateway/:device/settings")
    .get((request, response) => getSettings(request, response, deps))
    .patch((request, response) => patchSettings(request, response, deps))
    .all(only("GET, HEAD, PATCH"))
  router
    .route("/devices/:gateway/:device/signals")
    .get((request, response) => getSignals(request, response, deps))
    .post((request, response) => postSignals(request, response, deps))
    .all(only("GET, HEAD, POST"))
  router
    .route("/devices/:gateway/:device/lease")
    .post((request, response) => postLease(request, response, deps))
    .delete((request, response) => deleteLease(request, response, deps))
    .all(only("DELETE, POST"))
}

function addBoard(router: Router, deps: ApiDeps & BoardDeps): void {
  router
    .route(["/devices/:gateway/:device/files", "/devices/:gateway/:device/files/{*path}"])
    .get((request, response) => getFile(request, response, deps))
    .put((request, response) => putFile(request, response, deps))
    .delete((request, response) => deleteFile(request, response, deps))
    .all(only("DELETE, GET, HEAD, PUT"))
  router
    .route("/devices/:gateway/:device/run")
    .post((request, response) => runCode(request, response, deps))
    .all(only("POST"))
}

function only(allow: string) {
  return (request: Request, response: Response): void =>
    refuseMethod(response, { method: request.method, allow })
}
