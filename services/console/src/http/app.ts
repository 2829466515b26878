import { AppError, toAppError } from "@serialcast/contract"
import {
  createRequestGuard,
  type Logger,
  type Refusals,
  type RequestGuard,
  sendProblem,
} from "@serialcast/service-kit"
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express"
import type { ConsoleDevices } from "../console-devices.ts"
import { createLogIn } from "./log-in.ts"
import { createPage, type PageOptions } from "./page.ts"
import { securityHeaders } from "./security-headers.ts"

export interface AppOptions extends PageOptions {
  readonly devices: ConsoleDevices
  /** Names besides localhost under which browsers may address the service. */
  readonly hosts: readonly string[]
  readonly log: Logger
  /** Are told of what the open pages refuse; what the guard refuses, it tells itself. */
  readonly refusals: Refusals
}

/** The HTTP half of the console. */
export function createApp(options: AppOptions): Express {
  const { guard, hosts, devices, log, refusals } = options
  const openGuard = createRequestGuard({ token: null, hosts, refusals })
  const app = express()
  app.disable("x-powered-by")
  app.use(securityHeaders)
  app.use(["/api", "/ws"], guarded(guard))
  // What is reachable without a token still is so only from the console's own pages; a link may lead to it.
  app.use(guarded(openGuard, { allowNavigation: true }))
  app.use(createPage(options))
  app.use(createLogIn(options))
  app.get("/api/v1/devices", (_request, response) => {
    response.set("Cache-Control", "no-store").json({ devices: devices.devices.list() })
  })
  app.use(refuseMethod, refusePath, sendError(log))
  return app
}

function guarded(guard: RequestGuard, options?: { readonly allowNavigation: boolean }): RequestHandler {
  return (request, _response, next) => next(guard.check(request, options) ?? undefined)
}

const methods: Readonly<Record<string, string>> = {
  "/": "GET, HEAD",
  "/login": "POST",
  "/api/v1/devices": "GET, HEAD",
}

const refuseMethod: RequestHandler = (request, response, next) => {
  const allowed = Object.hasOwn(methods, request.path) ? methods[request.path] : undefined
  if (allowed === undefined) return next()
  response.set("Allow", allowed)
  throw new AppError("method_not_allowed", `${request.path} answers ${allowed}; found ${request.method}.`)
}

const refusePath: RequestHandler = (request) => {
  if (request.path === "/ws" || request.path === "/ws/devices") {
    throw new AppError("bad_request", `${request.path} is a WebSocket: expected an upgrade request.`)
  }
  throw new AppError("unknown_path", `There is nothing at ${JSON.stringify(request.path)}.`)
}

function sendError(log: Logger): ErrorRequestHandler {
  // Express knows it by its four parameters.
  return (cause: unknown, _request, response, _next) => {
    // A request whose body turned out to be malformed was answered with that.
    if (response.writableEnded) return
    const error = fromExpress(cause)
    if (error.code === "internal") log.error({ err: error }, "a console request failed")
    sendProblem(response, error)
  }
}

/** Express and its parsers throw errors of their own for what clients do wrong, with the status in them. */
function fromExpress(cause: unknown): AppError {
  const status = cause instanceof Error && "status" in cause ? cause.status : undefined
  if (cause instanceof AppError || !(cause instanceof Error) || typeof status !== "number")
    return toAppError(cause)
  if (status === 413) return new AppError("too_large", "Expected a body of at most 4 KiB.", { cause })
  if (status === 404) return new AppError("unknown_path", "There is no such file.", { cause })
  return status < 500 ? new AppError("bad_request", cause.message, { cause }) : toAppError(cause)
}
