import type { ServerResponse } from "node:http"

/** Aborted when nobody waits for `response` any more, or `stopping` is. */
export function untilClosed(response: ServerResponse, stopping: AbortSignal): AbortSignal {
  const ending = new AbortController()
  const end = () => ending.abort()
  response.once("close", end)
  // A response that waits for the one before it on its connection is not told of the connection's end.
  response.req.socket.once("close", end)
  stopping.addEventListener("abort", end, { signal: ending.signal })
  ending.signal.addEventListener("abort", () => response.req.socket.off("close", end))
  if (stopping.aborted || response.closed) end()
  return ending.signal
}
