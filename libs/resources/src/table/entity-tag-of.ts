import { createHash } from "node:crypto"

/** 132 bits of a hash: nobody finds two values with one tag. */
const tagChars = 22

/** The same for the same type and value, on every machine; base64url, which needs no escape in an entity tag. */
export function entityTagOf(contentType: string, value: Uint8Array): string {
  // A media type has no NUL, so that no other pair of type and value comes to the same bytes.
  const hash = createHash("sha256").update(contentType).update("\0").update(value)
  return hash.digest("base64url").slice(0, tagChars)
}
