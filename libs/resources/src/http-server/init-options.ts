import type { Clock } from "@serialcast/primitives"
import type { ResourceServerOptions } from "../http/create-server.ts"
import type { HandlerOptions } from "../http/resource-handler.ts"
import type { MemoryStoreOptions } from "../store/memory-store.ts"
import type { SiteCheckOptions } from "./site-check.ts"

/** `check` comes after the server's own, of `hosts` and of other sites. */
export interface InitOptions
  extends Omit<HandlerOptions, "onRequest" | "basePath" | "clock">,
    Omit<ResourceServerOptions, "tls">,
    Omit<MemoryStoreOptions, "clock">,
    SiteCheckOptions {
  /** 443 means HTTPS; 0 lets the system choose. Default: 80. */
  readonly port?: number
  /** Address or name to listen at. Default: 127.0.0.1, this machine alone. */
  readonly host?: string
  /** File with the key of the certificate in PEM; with `certfile` it means HTTPS. */
  readonly keyfile?: string
  /** File with the certificate in PEM. */
  readonly certfile?: string
  readonly clock?: Clock
}
