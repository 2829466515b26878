import { AppError, type Receipt } from "@serialcast/contract"
import { Counter, Gauge, type Registry } from "@serialcast/service-kit"

/** What the console counts. */
export interface ConsoleMetrics {
  setSockets(count: number): void
  /** `outcome`: the receipt, or why there is none. */
  countWrite(outcome: Receipt | AppError): void
}

export function createConsoleMetrics(registry: Registry): ConsoleMetrics {
  const sockets = new Gauge({
    name: "serialcast_console_sockets",
    help: "WebSockets that are open, or whose writes are still being done.",
    registers: [registry],
  })
  const writes = new Counter({
    name: "serialcast_console_writes_total",
    help: "Writes by outcome: done, or the code of the error.",
    labelNames: ["outcome"],
    registers: [registry],
  })
  return {
    setSockets: (count) => sockets.set(count),
    countWrite: (outcome) => writes.inc({ outcome: outcome instanceof AppError ? outcome.code : "done" }),
  }
}
