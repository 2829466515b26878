import { AppError, parseJsonObject } from "@serialcast/contract"
import type { Clock, LoopTurns } from "@serialcast/primitives"
import type { Request, Response } from "express"
import type { HeldMemory } from "../body/held-memory.ts"
import { readBody } from "../body/read-body.ts"

// Settings, lines and leases take a few hundred bytes, a macro at most one kilobyte.
const largestBytes = 16 * 1024

export interface ControlBodyDeps {
  readonly memory: HeldMemory
  readonly turns: LoopTurns
  readonly clock: Clock
}

/**
 * The members of the JSON object in a body, whatever its type says: `curl -d` needs no header then. None at all is an empty
 * one. Throws `bad_request` for one not of `names`.
 */
export async function membersOf(
  request: Request,
  response: Response,
  names: readonly string[],
  { memory, turns, clock }: ControlBodyDeps,
): Promise<Record<string, unknown>> {
  const account = memory.open(response)
  const bytes = await readBody(request, { limitBytes: largestBytes, account, clock, turns })
  const body = bytes.byteLength === 0 ? {} : parseJsonObject(bytes, "The body is not JSON.")
  const unknown = Object.keys(body).find((name) => !names.includes(name))
  if (unknown === undefined) return body
  throw new AppError("bad_request", `Expected ${names.join(", ")}; found ${JSON.stringify(unknown)}.`)
}
