import { randomBytes } from "node:crypto"

/** A new journal's identity: 16 hex digits that no other journal ever had. */
export function createEpoch(): string {
  return randomBytes(8).toString("hex")
}
