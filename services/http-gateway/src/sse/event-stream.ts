import type { ServerResponse } from "node:http"
import { type Pace, PacedResponse } from "../paced-response.ts"

const heartbeatMs = 15_000
// Long, because a client that is cut off comes back: its next request resumes where its last id says.
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
  /** Sends them together; resolves when there is room for more. */
  send(events: readonly ServerEvent[]): Promise<void>
  /** Sends `event` as soon as there is room; of several that wait for it, the newest. */
  sendNewest(event: ServerEvent): void
  /** Sends a line that clients ignore or that sets a field, like `retry: 500`. */
  sendField(line: string): Promise<void>
}

/** Takes over a response whose head is written, until `signal` is aborted: its client is gone, or the service stops. */
export function startEventStream(
  response: ServerResponse,
  { clock, signal, turns }: Omit<Pace, "stallMs">,
): EventStream {
  response.flushHeaders()
  let newest: ServerEvent | null = null
  response.on("drain", flushNewest)
  let heartbeat = clock.startTimer(heartbeatMs, beat)
  signal.addEventListener("abort", () => heartbeat.cancel())
  const paced = new PacedResponse(response, { clock, stallMs, signal, turns })
  return {
    async send(events) {
      if (events.length > 0) await paced.write(events.map(format).join(""))
    },
    sendNewest(event) {
      newest = event
      flushNewest()
    },
    sendField: (line) => paced.write(`${line}\n\n`),
  }

  function flushNewest(): void {
    if (newest === null || signal.aborted || response.writableNeedDrain) return
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
