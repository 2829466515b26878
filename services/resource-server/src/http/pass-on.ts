import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"
import type { ResourceHandler } from "@serialcast/resources"
import { type RequestGuard, sendProblem } from "@serialcast/service-kit"
import type { BrokerStore } from "../replica/broker-store.ts"

export interface PassOnDeps {
  readonly guard: RequestGuard
  readonly store: BrokerStore
  readonly manage: (request: IncomingMessage, response: ServerResponse) => void
  readonly serve: ResourceHandler
  /** How long a request waits for a broker that is away, in milliseconds. */
  readonly patienceMs: number
}

/** Lets requests to the management or to a resource, once they may and there is something to ask. */
export function passOn({ guard, store, manage, serve, patienceMs }: PassOnDeps): ResourceHandler {
  return (request, response, beforeBody) => {
    const refusal = guard.whyNot(request)
    if (refusal !== null) return sendProblem(response, refusal)
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
