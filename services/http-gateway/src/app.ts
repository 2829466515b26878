import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"
import type { LoopTurns } from "@serialcast/primitives"
import { answerError, type Logger, type RequestGuard, sendProblem } from "@serialcast/service-kit"
import express, { type NextFunction, type Request, type Response } from "express"
import { createApi } from "./api/api.ts"
import type { HeldMemory } from "./body/held-memory.ts"
import { createHexServer } from "./hex/hex-server.ts"
import type { EventDeps } from "./sse/serve-events.ts"
import type { AcceptedWrites } from "./writes/accepted-writes.ts"

export interface AppDeps extends EventDeps {
  readonly guard: RequestGuard
  readonly log: Logger
  readonly writes: AcceptedWrites
  /** For bodies. */
  readonly memory: HeldMemory
  readonly turns: LoopTurns
  readonly defaultDevice: string
  /** Whether `/readbytes` and `/writebytes` are served. */
  readonly hexServer: boolean
}

/** Answers every request: guard first, then the hex server on the raw target, then the API. */
export function createApp(deps: AppDeps): (request: IncomingMessage, response: ServerResponse) => void {
  const { guard, log, hexServer, stopping } = deps
  const api = createExpress(deps, log)
  const serveHex = hexServer ? createHexServer(deps) : () => false
  return (request, response) => {
    response.setHeader("X-Content-Type-Options", "nosniff")
    // Whoever comes over a connection that is still open is to find the next process.
    if (stopping.aborted) response.shouldKeepAlive = false
    const refusal = guard.whyNot(request)
    if (refusal !== null) sendProblem(response, refusal)
    else if (!serveHex(request, response)) api(request, response)
  }
}

function createExpress(deps: AppDeps, log: Logger): express.Express {
  const app = express()
  app.disable("x-powered-by")
  app.disable("etag")
  app.use((_request, response, next) => {
    response.setHeader("Cache-Control", "no-store")
    next()
  })
  app.use("/api/v1", createApi(deps))
  app.use((request) => {
    throw new AppError("unknown_path", `There is nothing at ${JSON.stringify(request.path.slice(0, 200))}.`)
  })
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) =>
    answerError(error, response, log),
  )
  return app
}
