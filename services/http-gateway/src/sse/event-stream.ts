import { once } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Clock } from "@serialcast/primitives"

const heartbeatMs = 15_000
// A client that takes nothing for this long is cut off; its next request resumes where its last id says.
const stallMs = 300_000

export interface ServerEvent {
  readonly event: string
  /** One line: a line end would end the field. */
  readonly data: string
  /** Where a client that has this event resumes. */
  readonly id?: string
}

/** One client's event stream (WHATWG HTML §9.2), written at the client's pace. */
export interface EventStream {
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  /** Resolves when there is room for the next event. */
  send(event: ServerEvent): Promise<void>
  /** Sends `event` as soon as there is room; of several that wait for it, the newest. */
  sendNewest(event: ServerEvent): void
  /** Sends a line that clients ignore or that sets a field, like `retry: 500`. */
  sendField(line: string): Promise<void>
  end(): void
}

/** Takes over a response whose head is written. */
export function startEventStream(
  request: IncomingMessage,
  response: ServerResponse,
  { clock, signal: stopping }: { clock: Clock; signal: AbortSignal },
): EventStream {
  const gone = new AbortController()
  const end = () => gone.abort()
  response.once("close", end)
  stopping.addEventListener("abort", end)
  request.socket.setNoDelay(true)
  response.flushHeaders()
  let newest: ServerEvent | null = null
  response.on("drain", flushNewest)
  let heartbeat = clock.startTimer(heartbeatMs, beat)
  gone.signal.addEventListener("abort", () => {
    heartbeat.cancel()
    stopping.removeEventListener("abort", end)
  })
  return {
    signal: gone.signal,
    send: (event) => write(format(event)),
    sendNewest(event) {
      newest = event
      flushNewest()
    },
    sendField: (line) => write(`${line}\n\n`),
    end: () => response.end(),
  }

  async function write(text: string): Promise<void> {
    if (gone.signal.aborted || response.write(text)) return
    using _stall = clock.startTimer(stallMs, () => response.destroy())
    // Aborted by the close of a client that never took it: the caller's loop ends by the same signal.
    await once(response, "drain", { signal: gone.signal }).catch(() => {})
  }

  function flushNewest(): void {
    if (newest === null || gone.signal.aborted || response.writableNeedDrain) return
    const event = newest
    newest = null
    response.write(format(event))
  }

  function beat(): void {
    // A client that is behind shows its life by taking what waits; another line would wait too.
    if (!response.writableNeedDrain) response.write(": still here\n\n")
    heartbeat = clock.startTimer(heartbeatMs, beat)
  }
}

function format({ event, data, id }: ServerEvent): string {
  return `event: ${event}\ndata: ${data}\n${id === undefined ? "" : `id: ${id}\n`}\n`
}
