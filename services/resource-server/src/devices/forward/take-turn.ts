import { AppError } from "@serialcast/contract"
import { type Clock, createDeferred, Gate, withDeadline } from "@serialcast/primitives"

/** Requests that wait for one device, of all clients. */
const maxWaiting = 32
/** So long they do, in milliseconds: shorter than clients wait. */
const turnMs = 10_000

/** Lets one request at a time use a device. */
export class DeviceTurns {
  readonly #clock: Clock
  readonly #gates = new Map<string, Gate>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What `work` comes to; clients, by `whose`, take turns. Throws `overloaded` when its turn does not come in time. */
  async take<T>(device: string, whose: string, work: () => Promise<T>): Promise<T> {
    const refusal = () => new AppError("overloaded", `Too many requests wait for ${device} already.`)
    // Devices are those of the configuration.
    const gate = this.#gates.get(device) ?? new Gate({ maxRunning: 1, maxWaiting, refusal })
    this.#gates.set(device, gate)
    const begun = createDeferred<void>()
    let isGivenUp = false
    const tooLate = () => {
      isGivenUp = true
      return new AppError("overloaded", `${device} was busy with other requests for ${turnMs / 1000} s.`)
    }
    const turn = gate.run(async () => {
      if (isGivenUp) throw tooLate()
      begun.resolve()
      return await work()
    }, whose)
    // Told below, unless it was given up.
    turn.catch(() => {})
    await withDeadline(Promise.race([begun.promise, turn]), {
      clock: this.#clock,
      timeoutMs: turnMs,
      error: tooLate,
    })
    return await turn
  }
}
