import { AppError } from "@serialcast/contract"
import {
  answerError,
  createRequestGuard,
  type Logger,
  type Refusals,
  type RequestGuard,
  refuseMethod,
} from "@serialcast/service-kit"
import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from "express"
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
  app.use(refuseOtherMethod, refusePath)
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) =>
    answerError(error, response, log),
  )
  return app
}

function guarded(guard: RequestGuard, options?: { readonly allowNavigation: boolean }): RequestHandler {
  return (request, _response, next) => next(guard.whyNot(request, options) ?? undefined)
}

const methods: Readonly<Record<string, string>> = {
  "/": "GET, HEAD",
  "/login": "POST",
  "/api/v1/devices": "GET, HEAD",
}

const refuseOtherMethod: RequestHandler = (request, response, next) => {
  const allow = Object.hasOwn(methods, request.path) ? methods[request.path] : undefined
  if (allow === undefined) return next()
  refuseMethod(response, { method: request.method, allow })
}

const refusePath: RequestHandler = (request) => {
  if (request.path === "/ws" || request.path === "/ws/devices") {
    throw new AppError("bad_request", `${request.path} is a WebSocket: expected an upgrade request.`)
  }
  throw new AppError("unknown_path", `There is nothing at ${JSON.stringify(request.path)}.`)
}
