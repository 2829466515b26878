import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"
import type { ResourceHandler } from "@serialcast/resources"
import { type RequestGuard, sendProblem } from "@serialcast/service-kit"
import type { FindHandler } from "../devices/serve-devices.ts"
import type { BrokerStore } from "../replica/broker-store.ts"
import { Unanswered } from "./unanswered.ts"

export interface PassOnDeps {
  readonly guard: RequestGuard
  readonly store: BrokerStore
  /** What is of a device comes before the table, and needs none. */
  readonly findDevice: FindHandler
  readonly manage: (request: IncomingMessage, response: ServerResponse) => void
  readonly serve: ResourceHandler
  /** How long a request waits for a broker that is away, in milliseconds. */
  readonly patienceMs: number
}

/** Lets requests to the management, a device or a resource, once they may and there is something to ask. */
export function passOn({ guard, store, findDevice, manage, serve, patienceMs }: PassOnDeps): ResourceHandler {
  const unanswered = new Unanswered()
  return (request, response, beforeBody) => {
    if (!unanswered.take(request, response)) return void request.socket.destroy()
    const refusal = guard.whyNot(request)
    if (refusal !== null) return sendProblem(response, refusal)
    const serveDevice = findDevice(request)
    if (serveDevice !== undefined) return serveDevice(request, response, beforeBody)
    const pass = () => {
      if (isManagement(request.url ?? "")) manage(request, response)
      else serve(request, response, beforeBody)
    }
    if (store.isReady) return pass()
    store.whenReady(patienceMs).then(pass, () => {
      response.setHeader("Retry-After", "1")
      const message = "The broker does not say which resources there are."
      sendProblem(response, new AppError("broker_offline", message))
    })
  }
}

function isManagement(target: string): boolean {
  return /^\/api(?:[/?]|$)/.test(target)
}
