import type { ServerResponse } from "node:http"

/** A signal that is aborted when `response` is closed, by either end, or when `stopping` is. */
export function closeSignal(response: ServerResponse, stopping: AbortSignal): AbortSignal {
  const ending = new AbortController()
  const end = () => ending.abort()
  response.once("close", end)
  stopping.addEventListener("abort", end, { signal: ending.signal })
  if (stopping.aborted || response.closed) end()
  return ending.signal
}
