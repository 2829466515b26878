import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { concatBytes } from "@serialcast/primitives"
import { onTestFinished } from "vitest"

export interface ReceivedHook {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** As UTF-8. */
  readonly body: string
}

export interface HookReceiver {
  readonly url: string
  /** Whole requests, in the order in which they came. */
  readonly received: readonly ReceivedHook[]
  /** How many requests there were at the same time, at most. */
  readonly mostAtOnce: number
}

/** Answers a request, the `count`th from 0. */
export type HookAnswer = (response: ServerResponse, count: number, request: IncomingMessage) => void

/** A real HTTP server on a free port; it ends with the test, whatever it has open. */
export async function hookReceiver(answer: HookAnswer): Promise<HookReceiver> {
  const received: ReceivedHook[] = []
  let open = 0
  let mostAtOnce = 0
  const server = createServer((request, response) => {
    open += 1
    mostAtOnce = Math.max(mostAtOnce, open)
    request.socket.once("close", () => (open -= 1))
    const pieces: Uint8Array[] = []
    request.on("data", (piece: Uint8Array) => pieces.push(piece))
    request.on("end", () => {
      const { method = "", headers } = request
      received.push({ method, headers, body: new TextDecoder().decode(concatBytes(pieces)) })
      answer(response, received.length - 1, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    get mostAtOnce() {
      return mostAtOnce
    },
  }
}

/** With this status and no body. */
export function answerWith(status: number): HookAnswer {
  return (response) => response.writeHead(status).end()
}
