import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"

/** Tells whether a given password is the right one, in a time that says nothing about where the two differ. */
export type PasswordCheck = (given: Uint8Array) => boolean

/** Keeps of `password` its SHA-256 with a random salt alone (HMAC, RFC 2104). */
export function createPasswordCheck(password: Uint8Array): PasswordCheck {
  const salt = randomBytes(32)
  const digest = (bytes: Uint8Array) => createHmac("sha256", salt).update(bytes).digest()
  const expected = digest(password)
  return (given) => timingSafeEqual(digest(given), expected)
}
