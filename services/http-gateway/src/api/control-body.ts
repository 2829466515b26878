import { AppError } from "@serialcast/contract"
import express, { type Request, type RequestHandler } from "express"

// Settings, lines and leases take a few hundred bytes, a macro at most one kilobyte.
const largestBytes = 16 * 1024

/** Parses a body as JSON, whatever its type says: `curl -d` needs no header then. */
export function createControlBody(): RequestHandler {
  return express.json({ type: () => true, limit: largestBytes, inflate: false })
}

/** The members of the JSON object in a body; none at all is an empty one. Throws `bad_request` for one not of `names`. */
export function membersOf(request: Request, names: readonly string[]): Record<string, unknown> {
  // The parser leaves the body undefined when there is none.
  const body: unknown = request.body ?? {}
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new AppError("bad_request", "Expected a JSON object.")
  const unknown = Object.keys(body).find((name) => !names.includes(name))
  if (unknown === undefined) return { ...body }
  throw new AppError("bad_request", `Expected ${names.join(", ")}; found ${JSON.stringify(unknown)}.`)
}
