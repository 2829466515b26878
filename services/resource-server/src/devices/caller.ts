import type { IncomingMessage } from "node:http"

/** As what those are known who write by a request. */
export function callerOf({ socket }: IncomingMessage): string {
  return `http:${socket.remoteAddress ?? "unknown"}`
}
