import { AppError } from "@serialcast/contract"
import { encodeResource, type Resource } from "@serialcast/resources"
import type { KeptWords, Word } from "./kept-words.ts"
import { isNumbered, looksAlike, readWord } from "./read-word.ts"
import { shown } from "./resource-uri.ts"

/**
 * Publishes a resource on its topic, and reads back that it stands there: after the resource servers, where there are any, had
 * time to say otherwise. Throws `resources_full` when it was taken away again, `resource_exists` when somebody else set it
 * meanwhile, and `overloaded` when the broker does not keep it.
 */
export async function setWord(kept: KeptWords, resource: Resource): Promise<void> {
  const { uri } = resource
  const said = kept.record(uri)
  await kept.publish(uri, encodeResource(resource))
  await kept.settled(() => isJudged(said, resource))
  const tooMany = new AppError(
    "resources_full",
    `${shown(uri)} was taken away again: there is no room for it.`,
  )
  if (said.at(-1)?.text === "") throw tooMany
  await kept.reopen()
  await kept.settled(() => kept.words.get(uri)?.isKept === true)
  const now = kept.words.get(uri)
  if (now !== undefined && isAlike(now, resource)) return
  if (now === undefined)
    throw new AppError("overloaded", `The broker did not keep ${shown(uri)}: its room is used up.`)
  if (now.text === "") throw tooMany
  throw new AppError("resource_exists", `Somebody else set ${shown(uri)} meanwhile.`)
}

/** Whether a server said something to it, after our own words came round. */
function isJudged(said: readonly Word[], resource: Resource): boolean {
  const own = said.findIndex((word) => isAlike(word, resource))
  return (
    own >= 0 &&
    said.slice(own).some((word) => word.text === "" || (isAlike(word, resource) && isNumbered(word.text)))
  )
}

function isAlike(word: Word, resource: Resource): boolean {
  if (word.text === "") return false
  try {
    return looksAlike(readWord(resource.uri, word), resource)
  } catch {
    // Somebody else's, which is no resource.
    return false
  }
}
