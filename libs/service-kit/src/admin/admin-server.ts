import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"
import { collectDefaultMetrics, Registry } from "prom-client"
import type { RunningService } from "../lifecycle/service.ts"
import { sendProblem } from "../problem/problem.ts"

export interface AdminOptions {
  readonly metrics: Registry
  /** The services of this process; empty until they have started. */
  readonly services: () => readonly RunningService[]
}

/** A registry with Node's own metrics: memory, event loop, garbage collection. */
export function createMetrics(): Registry {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return metrics
}

/**
 * What an operator's tools ask: `/healthz` (this process answers), `/readyz` (200 when every service can work, else
 * 503, with the answer of each), `/metrics` (Prometheus). Shows no device data and changes nothing, so it has no log-in.
 */
export function createAdminServer({ metrics, services }: AdminOptions): Server {
  const endpoints: Readonly<Record<string, (response: ServerResponse) => void | Promise<void>>> = {
    "/healthz": (response) => sendJson(response, 200, { alive: true }),
    "/readyz": (response) => {
      const running = services()
      const isReady = running.length > 0 && running.every((service) => service.isReady())
      sendJson(response, isReady ? 200 : 503, {
        ready: isReady,
        services: Object.fromEntries(running.map((service) => [service.name, service.isReady()])),
      })
    },
    "/metrics": async (response) => {
      const text = await metrics.metrics()
      response.writeHead(200, { "Content-Type": metrics.contentType }).end(text)
    },
  }
  return createServer((request, response) => {
    answer(endpoints, request, response).catch((cause: unknown) => {
      sendProblem(response, new AppError("internal", String(cause), { cause }))
    })
  })
}

async function answer(
  endpoints: Readonly<Record<string, (response: ServerResponse) => void | Promise<void>>>,
  { method, url = "/" }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = "/"] = url.split("?")
  const endpoint = Object.hasOwn(endpoints, path) ? endpoints[path] : undefined
  if (endpoint === undefined)
    return sendProblem(response, new AppError("unknown_path", "There is no such page."))
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD")
    return sendProblem(response, new AppError("method_not_allowed", `Expected GET, found ${method}.`))
  }
  await endpoint(response)
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
  response.end(JSON.stringify(body))
}
