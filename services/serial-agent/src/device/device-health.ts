import type { AppError, DeviceState } from "@serialcast/contract"
import type { Holder } from "@serialcast/ports"
import type { Clock } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { sharedProblem } from "../port/port-sharing.ts"

type Health = Pick<DeviceState, "online" | "problem" | "since">

export interface DeviceHealthDeps {
  /** Path or URL. */
  readonly port: string
  readonly clock: Clock
  readonly log: Logger
  readonly onChange: () => void
}

/** Whether a device can be used, since when, and what is wrong with its port: in its state and in the log. */
export class DeviceHealth {
  readonly #deps: DeviceHealthDeps
  #now: Health

  constructor(deps: DeviceHealthDeps) {
    this.#deps = deps
    this.#now = { online: false, problem: null, since: timeOf(deps.clock) }
  }

  get now(): Health {
    return this.#now
  }

  opened(): void {
    this.#deps.log.info("port opened")
    this.#change(true, null)
  }

  closed(reason: string, isStopping: boolean): void {
    this.#deps.log[isStopping ? "info" : "warn"]({ reason }, "port closed")
    this.#change(false, { code: "device_offline", message: `The port was closed: ${reason}.` })
  }

  notOpened(problem: AppError): void {
    this.#deps.log.warn({ code: problem.code }, problem.message)
    this.#change(false, problem.toWire())
  }

  /** These have the port open too. */
  shared(holders: readonly Holder[]): void {
    const problem = sharedProblem(this.#deps.port, holders)
    if (!this.#now.online || problem?.message === this.#now.problem?.message) return
    if (problem !== null) this.#deps.log.warn(problem.message)
    this.#change(true, problem)
  }

  #change(online: boolean, problem: DeviceState["problem"]): void {
    const { clock, onChange } = this.#deps
    const since = online === this.#now.online ? this.#now.since : timeOf(clock)
    this.#now = { online, problem, since }
    onChange()
  }
}

/** RFC 3339 */
function timeOf(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString()
}
