import { z } from "zod"
import { filePath } from "./fields.ts"

/** Key and certificate of a listener, as files in PEM. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

/** `what` of clients that come through TLS goes on the reference page. */
export function tlsFiles(what: string): z.ZodType<TlsFiles> {
  return z.strictObject({
    cert: filePath.describe(`Certificate and those above it, as PEM: ${what}`),
    key: filePath.describe("Its key, as PEM"),
  })
}
