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

/** Of the same type and value, for the same methods. */
export function looksAlike(one: Resource, other: Resource): boolean {
  return one.etag === other.etag && one.methods === other.methods && one.childMethods === other.childMethods
}
