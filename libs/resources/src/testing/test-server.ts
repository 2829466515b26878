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
  readonly connect: () => Promise<RawClient>
}

/** A server with a resource `/a` of text `0` that takes every method. */
export async function startTestServer({
  maxUri = 100,
  wrap,
  ...options
}: TestServerOptions = {}): Promise<TestServer> {
  const store = createMemoryStore({ maxUri })
  addTo(store, "/a")
  const [events, errors]: [RequestEvent[], unknown[]] = [[], []]
  const handle = createResourceHandler(wrap?.(store) ?? store, {
    onRequest: (event) => void events.push(event),
    onError: (error) => void errors.push(error),
    ...options,
  })
  const running = await startServer(createServer(handle, options), { host: "127.0.0.1", port: 0 })
  onTestFinished(() => running.stop())
  const { port } = running.address
  return {
    port,
    store,
    events,
    errors,
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
