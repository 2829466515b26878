import type { AppError, StartPoint } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import type { WebSocket } from "ws"
import type { ConsoleDevices } from "../console-devices.ts"
import type { ConsoleMetrics } from "../metrics.ts"
import type { PacedSocket } from "./paced-socket.ts"
import type { SocketMemory } from "./socket-memory.ts"
import type { WriteLane } from "./write-lane.ts"

/** What serving a WebSocket takes. */
export interface ServeOptions {
  readonly socket: WebSocket
  readonly paced: PacedSocket
  readonly devices: ConsoleDevices
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: ConsoleMetrics
  readonly memory: SocketMemory
}

export interface ServeDeviceOptions extends ServeOptions {
  /** The principal who writes. */
  readonly by: string
  /** `<gateway>/<device>`; may be unknown. */
  readonly address: string
  readonly from: StartPoint
}

/** One WebSocket at work. */
export interface ServedSocket {
  /** Resolves when the socket is closed and its reading has ended. */
  readonly ended: Promise<void>
  /** The client's writes; absent where it has none. */
  readonly lane?: WriteLane
}

/** Close codes of RFC 6455 §7.4.1 that are used here. */
export const closeCodes = {
  /** The service stops; come again. */
  goingAway: 1001,
  /** The request cannot be met as it stands. */
  refused: 1008,
  /** Something went wrong that the client cannot be told in a better way. */
  failed: 1011,
  /** There is no room for it now; come again. */
  tryAgainLater: 1013,
} as const

/** Closes with the error's code and message as the reason. */
export function closeFailed({ paced, log }: ServeOptions, error: AppError): void {
  if (error.code === "internal") log.error({ err: error }, "serving a socket failed")
  const code = error.status < 500 ? closeCodes.refused : closeCodes.failed
  paced.close(code, `${error.code}: ${error.message}`)
}
