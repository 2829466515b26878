import type { Socket } from "node:net"
import { onTestFinished } from "vitest"
import type { RequestEvent } from "../answer/request.ts"
import { createServer, type ResourceServerOptions } from "../http/create-server.ts"
import { createResourceHandler, type HandlerOptions } from "../http/resource-handler.ts"
import { startServer } from "../http/start-server.ts"
import { createMemoryStore, type MemoryStore } from "../store/memory-store.ts"
import type { ResourceStore } from "../store/resource-store.ts"
import { allMethods } from "../table/resource.ts"
import { connectRaw, type RawClient } from "./raw-client.ts"

export interface TestServerOptions extends HandlerOptions, ResourceServerOptions {
  readonly maxUri?: number
  /** What answers the requests; the store of the test server stands behind it. */
  readonly wrap?: (store: MemoryStore) => ResourceStore
}

export interface TestServer {
  readonly port: number
  readonly store: MemoryStore
  readonly events: RequestEvent[]
  readonly errors: unknown[]
  /** The server's ends of its connections, in their order. */
  readonly sockets: readonly Socket[]
  readonly connect: () => Promise<RawClient>
}

/** On a busy machine nothing is late in these but what is meant to be. */
const patience = { headTimeoutMs: 120_000, bodyTimeoutMs: 120_000, bodyDeadlineMs: 120_000 }

/** A server with a resource `/a` of text `0` that takes every method. */
export async function startTestServer({
  maxUri = 100,
  wrap,
  ...given
}: TestServerOptions = {}): Promise<TestServer> {
  const options = { ...patience, ...given }
  const store = createMemoryStore({ maxUri })
  addTo(store, "/a")
  const [events, errors]: [RequestEvent[], unknown[]] = [[], []]
  const handle = createResourceHandler(wrap?.(store) ?? store, {
    onRequest: (event) => void events.push(event),
    onError: (error) => void errors.push(error),
    ...options,
  })
  const server = createServer(handle, options)
  const sockets: Socket[] = []
  server.on("connection", (socket: Socket) => void sockets.push(socket))
  const running = await startServer(server, { host: "127.0.0.1", port: 0 })
  onTestFinished(() => running.stop())
  const { port } = running.address
  return {
    port,
    store,
    events,
    errors,
    sockets,
    connect: () => connectRaw(port, { isTls: options.tls !== undefined }),
  }
}

export function addTo(
  store: MemoryStore,
  uri: string,
  rest: { methods?: number; contentType?: string } = {},
): void {
  const value = new TextEncoder().encode("0")
  store.applyNow({
    kind: "add",
    uri,
    contentType: "text/plain",
    value,
    methods: allMethods,
    origin: "static",
    ...rest,
  })
}
