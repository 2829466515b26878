import type { ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"

/** Reserves memory until a request is answered, or its client is gone. */
export type MemoryBudget = (wantedBytes: number, response: ServerResponse) => void

/** A budget whose function throws `overloaded` when what is reserved leaves no room for more. */
export function createMemoryBudget(budgetBytes: number): MemoryBudget {
  let reservedBytes = 0
  return (wantedBytes, response) => {
    if (reservedBytes + wantedBytes > budgetBytes) {
      throw new AppError("overloaded", "Too many large requests are on their way.")
    }
    reservedBytes += wantedBytes
    response.once("close", () => {
      reservedBytes -= wantedBytes
    })
  }
}
