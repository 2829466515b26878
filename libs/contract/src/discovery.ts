import { z } from "zod"
import { namePattern } from "./names.ts"
import { parseJsonPayload } from "./state.ts"

const discoverySchema = z.object({ client: z.string().regex(namePattern) })

/** The client that asks by a `_discover` message, and is answered on its reply topic; undefined when it says none. */
export function parseDiscovery(payload: Uint8Array): string | undefined {
  return parseJsonPayload(discoverySchema, payload)?.client
}
