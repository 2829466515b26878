import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"

/** Memory for the bodies of all requests together, in bytes. */
const budgetBytes = 64 * 1024 * 1024

/** Reserves memory for a request's body until it is answered. */
export type BodyBudget = (request: IncomingMessage, response: ServerResponse) => void

/**
 * A budget whose function throws `overloaded` when the bodies on their way leave no room for another. A body of unknown
 * length counts as `largestBytes`, of which it may become.
 */
export function createBodyBudget(largestBytes: number): BodyBudget {
  let reservedBytes = 0
  return ({ headers }, response) => {
    const length = Number(headers["content-length"] ?? largestBytes)
    const wanted = Math.min(length, largestBytes)
    if (reservedBytes + wanted > budgetBytes) {
      throw new AppError("overloaded", "Too many large requests are on their way.")
    }
    reservedBytes += wanted
    response.once("close", () => {
      reservedBytes -= wanted
    })
  }
}
