import { createHmac } from "node:crypto"

/**
 * The value of `Serialcast-Signature`: HMAC-SHA-256 (RFC 2104) of the time, a dot and the body, in hex. With the time in it, what
 * somebody recorded is of no use later.
 */
export function signatureOf(secret: Uint8Array, body: Uint8Array, atMs: number): string {
  const seconds = Math.floor(atMs / 1_000)
  const digest = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest("hex")
  return `t=${seconds},v1=${digest}`
}
