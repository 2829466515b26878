import { readFile } from "node:fs/promises"
import { createSecureContext } from "node:tls"
import { systemClock } from "@serialcast/primitives"
import type { RequestEvent } from "../answer/request.ts"
import { ResourceError } from "../errors.ts"
import { createServer } from "../http/create-server.ts"
import { createResourceHandler } from "../http/resource-handler.ts"
import { type RunningServer, startServer } from "../http/start-server.ts"
import type { ResourceStore } from "../store/resource-store.ts"
import type { InitOptions } from "./init-options.ts"
import { createSiteCheck } from "./site-check.ts"

const httpsPort = 443

/** A server for the resources of `store`. Throws `bad_argument` and `listen_failed`. */
export async function start(
  store: ResourceStore,
  options: InitOptions,
  onRequest: (event: RequestEvent) => void,
): Promise<RunningServer> {
  const { port = 80, host = "127.0.0.1", check: ownCheck, clock = systemClock } = options
  const siteCheck = createSiteCheck(options)
  const handle = createResourceHandler(store, {
    ...options,
    clock,
    check: (request) => siteCheck(request) ?? ownCheck?.(request),
    onRequest,
  })
  const tls = await readTls(options, port)
  return await startServer(createServer(handle, { ...options, tls }), { host, port }, clock)
}

async function readTls({ keyfile, certfile }: InitOptions, port: number) {
  if (keyfile === undefined && certfile === undefined && port !== httpsPort) return undefined
  if (keyfile === undefined || certfile === undefined) {
    throw new ResourceError(
      "bad_argument",
      "Give both keyfile and certfile: HTTPS, which port 443 means, needs both.",
    )
  }
  const [key, cert] = [await read(keyfile, "keyfile"), await read(certfile, "certfile")]
  try {
    createSecureContext({ key: Buffer.from(key), cert: Buffer.from(cert) })
  } catch (cause) {
    const message = `keyfile, certfile: expected a key and its certificate in PEM; ${String(cause)}.`
    throw new ResourceError("bad_argument", message, { cause })
  }
  return { key, cert }
}

async function read(file: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new ResourceError("bad_argument", `${name}: expected a file that can be read; ${String(cause)}.`, {
      cause,
    })
  }
}
