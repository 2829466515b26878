import type { ServerResponse } from "node:http"
import { AppError, type DeviceState, toAppError } from "@serialcast/contract"
import type { Arrivals, DeviceClient } from "@serialcast/device-stream"
import { closeSignal } from "./close-signal.ts"

export interface AwaitDeps {
  readonly devices: DeviceClient
  readonly arrivals: Arrivals
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal
}

/**
 * The state of the device at `address`; a request that comes before the gateways have told of theirs waits for it. Throws
 * as `Arrivals.need`, and `overloaded` when the service stops.
 */
export async function awaitDevice(
  address: string,
  response: ServerResponse,
  { arrivals, stopping }: AwaitDeps,
): Promise<DeviceState> {
  try {
    if (!stopping.aborted) return await arrivals.need(address, closeSignal(response, stopping))
  } catch (error) {
    if (!stopping.aborted) throw error
  }
  throw new AppError("overloaded", "The service is stopping; try again.")
}

/**
 * Runs what answers with an event stream. EventSource gives up for good on any answer but 200, and comes back when there
 * is none: what is so for now only ends the connection instead.
 */
export async function answerOrLeave(response: ServerResponse, serve: () => Promise<void>): Promise<void> {
  try {
    await serve()
  } catch (error) {
    const { status } = toAppError(error)
    if (response.headersSent || (status !== 503 && status !== 504)) throw error
    response.destroy()
  }
}
