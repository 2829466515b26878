import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError, toAppError } from "@serialcast/contract"
import type { Arrivals, DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import { type ResourceHandler, safeHeaders } from "@serialcast/resources"
import { answerError, type Logger, refuseMethod, sendProblem } from "@serialcast/service-kit"
import { type BuiltinName, type BuiltinTarget, parseBuiltin } from "./builtin-target.ts"
import type { Followers } from "./last/followers.ts"
import { serveLast } from "./last/serve-last.ts"
import { sendBytes } from "./send-bytes.ts"
import { writeBody } from "./tx/write-body.ts"
import { untilClosed } from "./until-closed.ts"

export interface DeviceServerDeps {
  readonly devices: DeviceClient
  readonly arrivals: Arrivals
  readonly followers: Followers
  readonly clock: Clock
  readonly log: Logger
  /** Of one body, in bytes. */
  readonly maxBody: number
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal
}

/** A request, and who waits for its answer. */
export interface ResponseSlot {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
  /** To be called when the body is about to be read. */
  readonly beforeBody: () => void
}

/** A request for what every device has. */
export interface DeviceRequest extends BuiltinTarget, ResponseSlot {}

/** Finds who answers a request; undefined: it means nothing of a device. */
export type FindHandler = (request: IncomingMessage) => ResourceHandler | undefined

interface Builtin {
  readonly allow: string
  readonly serve: (request: DeviceRequest, deps: DeviceServerDeps) => Promise<void>
}

const builtins: Readonly<Record<BuiltinName, Builtin>> = {
  "last-line": { allow: "GET, HEAD, OPTIONS", serve: (request, deps) => serveLast("line", request, deps) },
  "last-json": { allow: "GET, HEAD, OPTIONS", serve: (request, deps) => serveLast("json", request, deps) },
  state: { allow: "GET, HEAD, OPTIONS", serve: serveState },
  tx: { allow: "PUT, POST, OPTIONS", serve: writeBody },
}

/** `/devices/<gateway>/<device>/…`: what every device has, whatever is in the table. */
export function findBuiltin(deps: DeviceServerDeps): FindHandler {
  return (request) => {
    const target = parseBuiltin(request.url ?? "")
    if (target === undefined) return undefined
    const { allow, serve } = builtins[target.name]
    return answering({ allow, log: deps.log, stopping: deps.stopping }, (slot) =>
      serve({ ...target, ...slot }, deps),
    )
  }
}

interface AnsweringOptions {
  /** The methods that there are, OPTIONS with them. */
  readonly allow: string
  readonly log: Logger
  readonly stopping: AbortSignal
}

/** A handler that answers what `serve` throws, and methods that there are not. */
export function answering(
  { allow, log, stopping }: AnsweringOptions,
  serve: (slot: ResponseSlot) => Promise<void>,
): ResourceHandler {
  return (request, response, beforeBody = () => {}) => {
    const signal = untilClosed(response, stopping)
    const answer = async () => {
      for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value)
      const { method = "" } = request
      if (method === "OPTIONS") return void response.writeHead(204, { Allow: allow }).end()
      if (!allow.split(", ").includes(method)) refuseMethod(response, { method, allow })
      await serve({ request, response, signal, beforeBody })
    }
    answer().catch((error: unknown) => {
      const isStopped = stopping.aborted && toAppError(error).code === "cancelled"
      const told = isStopped ? new AppError("overloaded", "The service is stopping; try again.") : error
      answerError(told, response, log, sendRefusal)
    })
  }
}

/** Seconds after which what could not be done for now is worth another try. */
const retryAfterS = "1"

function sendRefusal(response: ServerResponse, error: AppError): void {
  if (error.status === 503 && !response.headersSent) response.setHeader("Retry-After", retryAfterS)
  sendProblem(response, error)
}

async function serveState({ address, response, signal }: DeviceRequest, { arrivals }: DeviceServerDeps) {
  const state = await arrivals.need(address, signal)
  sendBytes(response, "application/json", new TextEncoder().encode(JSON.stringify(state)))
}
