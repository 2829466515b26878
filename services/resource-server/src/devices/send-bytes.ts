import type { ServerResponse } from "node:http"

/** Answers with a value. */
export function sendBytes(response: ServerResponse, contentType: string, bytes: Uint8Array): void {
  response.writeHead(200, { "Content-Type": contentType, "Content-Length": bytes.byteLength })
  // Node sends no body with an answer to HEAD.
  response.end(bytes)
}
