import type { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import { Counter, type Registry } from "prom-client"
import type { Logger } from "../log/logger.ts"
import { RefusalLog } from "../log/refusal-log.ts"
import { networkOf } from "./network-of.ts"

export interface RefusalsOptions {
  /** Of what listener, as an operator knows it: http, console, admin. */
  readonly listener: string
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Registry
}

/** Where a listener's refusals go: each is counted, and one of a kind told in the log now and then. */
export interface Refusals {
  /** `address`: of the client, as its socket tells it. */
  report(address: string | undefined, error: AppError): void
}

const name = "serialcast_http_refusals_total"

/** Refusals of who asks and how (host, site, token, connections, malformed requests), not of what is asked for. */
export function createRefusals({ listener, log, clock, metrics }: RefusalsOptions): Refusals {
  const lines = new RefusalLog(clock)
  // One for all listeners of a process.
  const known = metrics.getSingleMetric(name)
  const counter =
    known instanceof Counter
      ? known
      : new Counter({
          name,
          help: "Requests and connections that were refused for who asks or how, by listener and the code why.",
          labelNames: ["listener", "code"],
          registers: [metrics],
        })
  return {
    report(address, { code, message }) {
      counter.inc({ listener, code })
      const line = lines.next(`${networkOf(address)} ${code}`)
      if (line !== null) log.warn({ listener, from: address, code, ...line }, `refused: ${message}`)
    },
  }
}
