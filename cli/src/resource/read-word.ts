import { AppError } from "@serialcast/contract"
import { parseResource, type Resource, ResourceError } from "@serialcast/resources"
import { escapeName } from "../terminal/escape-controls.ts"
import type { Word } from "./kept-words.ts"
import { shown, unknownResource } from "./resource-uri.ts"

/** The resource that stands there. Throws `unknown_resource`, and `bad_message` for what is none. */
export function readWord(uri: string, word: Word | undefined): Resource {
  if (word === undefined || word.text === "") throw unknownResource(uri)
  try {
    return parseResource(word.text, { uri })
  } catch (cause) {
    if (!(cause instanceof ResourceError)) throw cause
    const message = `What the broker keeps for ${shown(uri)} is no resource. ${escapeName(cause.message)}`
    throw new AppError("bad_message", message, { cause })
  }
}

/** Whether a server wrote it: they number what they write. */
export function isNumbered(text: string): boolean {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === "object" && found !== null && "rev" in found
  } catch {
    // Somebody else's, which is no resource.
    return false
  }
}

/** Of the same type and value, for the same methods. */
export function looksAlike(one: Resource, other: Resource): boolean {
  return one.etag === other.etag && one.methods === other.methods && one.childMethods === other.childMethods
}
