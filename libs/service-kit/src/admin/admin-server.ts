import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"
import { collectDefaultMetrics, Registry } from "prom-client"
import type { Refusals } from "../access/refusals.ts"
import { createRequestGuard } from "../access/request-guard.ts"
import type { RunningService } from "../lifecycle/service.ts"
import { createHttpServer } from "../listen/http-server.ts"
import { sendProblem } from "../problem/problem.ts"

export interface AdminOptions {
  readonly metrics: Registry
  /** The services of this process; empty until they have started. */
  readonly services: () => readonly RunningService[]
  /** The access token; null, as by default: none is needed. `/healthz` never needs one. */
  readonly token?: string | null
  /** Names besides localhost under which browsers may address the listener; none by default. */
  readonly hosts?: readonly string[]
  /** Are counted and told in the log; by default, nobody is told. */
  readonly refusals?: Refusals
}

type Endpoint = (response: ServerResponse) => void | Promise<void>

/** A registry with Node's own metrics: memory, event loop, garbage collection. */
export function createMetrics(): Registry {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return metrics
}

/**
 * What an operator's tools ask: `/healthz` (this process answers), `/readyz` (200 when every service can work, else
 * 503, with the answer of each), `/metrics` (Prometheus). Pages of other sites are refused, as at every listener.
 */
export function createAdminServer(options: AdminOptions): Server {
  const { metrics, services, token = null, hosts = [], refusals = { report: () => {} } } = options
  const guard = createRequestGuard({ token, hosts, refusals })
  const healthGuard = createRequestGuard({ token: null, hosts, refusals })
  const endpoints: Readonly<Record<string, Endpoint>> = {
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
  return createHttpServer({ refusals }, (request, response) => {
    const path = pathOf(request)
    const refusal = (path === "/healthz" ? healthGuard : guard).whyNot(request)
    if (refusal !== null) return sendProblem(response, refusal)
    answer(Object.hasOwn(endpoints, path) ? endpoints[path] : undefined, request, response).catch(
      (cause: unknown) => {
        sendProblem(response, new AppError("internal", String(cause), { cause }))
      },
    )
  })
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?")[0] ?? "/"
}

async function answer(
  endpoint: Endpoint | undefined,
  { method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
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
