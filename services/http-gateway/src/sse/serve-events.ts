import type { IncomingMessage, ServerResponse } from "node:http"
import {
  AppError,
  type DeviceState,
  formatAddress,
  parseCursor,
  parseStartPoint,
  type StartPoint,
} from "@serialcast/contract"
import type { DeviceDirectory } from "@serialcast/device-stream"
import type { Clock, LoopTurns } from "@serialcast/primitives"
import type { AwaitDeps } from "../await-device.ts"
import { closeSignal } from "../close-signal.ts"
import type { ReaderKind, ReaderMetrics } from "../metrics.ts"
import type { Encodings } from "./encodings.ts"
import type { EventFormat } from "./event-format.ts"
import { type EventStream, type ServerEvent, startEventStream } from "./event-stream.ts"

export interface EventDeps extends AwaitDeps {
  readonly encodings: Encodings
  readonly readers: ReaderMetrics
  readonly clock: Clock
  readonly turns: LoopTurns
}

export interface EventOptions<E> {
  readonly address: string
  /** As which it is counted. */
  readonly kind: ReaderKind
  /** What the client is told, until `signal` is aborted: its first event stands where the stream starts. */
  readonly read: (signal: AbortSignal) => AsyncIterable<E>
  readonly format: EventFormat<E>
  /** Writes the head, once the start point is found to exist. */
  readonly writeHead: (response: ServerResponse) => void
  /** Runs when the stream stands, before the first event. */
  readonly begin?: (events: EventStream) => Promise<void>
}

/**
 * Serves a device's stream until the client goes. Throws `unknown_device`, `bad_cursor`, or `overloaded` when the
 * service stops, while the head is not written yet; a known device is served even while it is offline.
 */
export async function serveEvents<E>(
  response: ServerResponse,
  options: EventOptions<E>,
  { devices, readers, clock, turns, stopping }: EventDeps,
): Promise<void> {
  const { address, kind, read, format, writeHead, begin } = options
  const signal = closeSignal(response, stopping)
  const state = (): DeviceState | undefined => devices.devices.get(address)
  let events: EventStream | null = null
  let forget = () => {}
  using _counted = readers.begin(address, kind)
  try {
    for await (const event of read(signal)) {
      if (events === null) {
        writeHead(response)
        events = startEventStream(response, { clock, signal, turns })
        // Before anything is waited for, so that no change falls between.
        forget = tellState(events, address, devices.devices)
        await begin?.(events)
      }
      await events.send(format.toEvents(event, state))
    }
  } finally {
    forget()
  }
  // A 200 that is no event stream would end an EventSource for good.
  if (events === null && stopping.aborted)
    throw new AppError("overloaded", "The service is stopping; try again.")
  response.end()
}

/** The `state` event of a device: whether it is online, and why not. */
export function stateEvent(state: DeviceState | undefined): ServerEvent {
  const { online = false, problem = null } = state ?? {}
  return { event: "state", data: JSON.stringify({ online, problem }) }
}

/** Tells whenever the device goes away or comes back; answers the function that ends it. */
function tellState(events: EventStream, address: string, devices: DeviceDirectory): () => void {
  let told = stateEvent(devices.get(address)).data
  return devices.onChange((changed) => {
    if (formatAddress(changed) !== address) return
    const event = stateEvent(devices.get(address))
    if (event.data !== told) events.sendNewest(event)
    told = event.data
  })
}

/** Where a client wants to start: its `Last-Event-ID` when it reconnects, else `from`. Throws `bad_cursor`. */
export function startPointOf({ headers }: IncomingMessage, from: string | null): StartPoint {
  const lastId = headers["last-event-id"]
  if (typeof lastId !== "string" || lastId === "") return parseStartPoint(from ?? "now")
  const cursor = parseCursor(lastId)
  if (cursor === undefined)
    throw new AppError(
      "bad_cursor",
      `Last-Event-ID: expected an id of this stream; found ${JSON.stringify(lastId)}.`,
    )
  return { kind: "cursor", cursor }
}
