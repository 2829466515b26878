import type { IncomingMessage } from "node:http"
import { AppError } from "@serialcast/contract"

/** Who asks for a change of a device, and under which lease. */
export interface Caller {
  readonly by: string
  readonly lease?: string
}

const fencePattern = /^[\w-]{1,64}$/

/** The caller by its address, and the token in its `Lease` header. Throws `bad_request` when that cannot be a token. */
export function callerOf({ headers, socket }: IncomingMessage): Caller {
  const by = `http:${socket.remoteAddress ?? "unknown"}`
  const { lease } = headers
  if (lease === undefined) return { by }
  if (typeof lease === "string" && fencePattern.test(lease)) return { by, lease }
  throw new AppError("bad_request", "Lease: expected the token that POST …/lease answered.")
}
