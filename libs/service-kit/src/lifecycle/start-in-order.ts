import { AppError, toAppError } from "@serialcast/contract"
import { after, type Clock, msUntil, systemClock, withDeadline } from "@serialcast/primitives"
import type { RunningService } from "./service.ts"

export interface StartOptions {
  readonly clock?: Clock
  /** How long stopping everything may take, in milliseconds. */
  readonly stopTimeoutMs?: number
}

/** Services that run, and stop, as one. */
export interface RunningGroup extends RunningService {
  /** In the order in which they started. */
  readonly services: readonly RunningService[]
}

// A service that is to stop after a hanging one gets at least this long, in milliseconds.
const reservedMs = 250

/**
 * Starts one service after the other and answers them as one, which stops in reverse order. When a start fails, those
 * before it are stopped and its error is thrown. `stop` throws `internal`, naming every service that did not stop,
 * after all had their turn.
 */
export async function startInOrder(
  starts: readonly (() => Promise<RunningService>)[],
  { clock = systemClock, stopTimeoutMs = 4_500 }: StartOptions = {},
): Promise<RunningGroup> {
  const services: RunningService[] = []
  const stopAll = () => stopInReverse(services, { clock, stopTimeoutMs })
  try {
    for (const start of starts) services.push(await start())
  } catch (error) {
    const failures = await stopAll()
    if (failures.length === 0) throw error
    const { code, message } = toAppError(error)
    throw new AppError(code, message, { cause: new AggregateError([error, ...failures]) })
  }
  let stopped: Promise<void> | undefined
  return {
    name: services.map(({ name }) => name).join("+"),
    services,
    isReady: () => services.every((service) => service.isReady()),
    stop() {
      stopped ??= stopAll().then(throwIfAny)
      return stopped
    },
  }
}

async function stopInReverse(
  services: readonly RunningService[],
  { clock, stopTimeoutMs }: Required<StartOptions>,
): Promise<readonly AppError[]> {
  const endMs = after(clock.monotonicMs(), stopTimeoutMs)
  const failures: AppError[] = []
  for (const [left, service] of [...services.entries()].toReversed()) {
    const timeoutMs = Math.max(reservedMs, Math.floor(msUntil(clock, endMs)) - left * reservedMs)
    const error = () => new AppError("internal", `it did not stop within ${timeoutMs} ms`)
    try {
      await withDeadline(service.stop(), { clock, timeoutMs, error })
    } catch (cause) {
      failures.push(new AppError("internal", `${service.name}: ${toAppError(cause).message}`, { cause }))
    }
  }
  return failures
}

function throwIfAny(failures: readonly AppError[]): void {
  if (failures.length === 0) return
  const message = failures.map((failure) => failure.message).join("; ")
  throw new AppError("internal", message, { cause: new AggregateError(failures) })
}
