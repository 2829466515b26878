import { AppError, type Destination, type Topics } from "@serialcast/contract"
import { whyNotUri } from "@serialcast/resources"
import { UsageError } from "../command/usage-error.ts"
import { escapeName } from "../terminal/escape-controls.ts"

/** The uri that a command is given. Throws `UsageError` for none, and what is none. */
export function parseUri(given: string | undefined): string {
  if (given === undefined) throw new UsageError("Expected the uri of a resource, like /temp.")
  const why = whyNotUri(given)
  if (why === undefined) return given
  throw new UsageError(`${shown(given)} is no uri of a resource. ${why}`)
}

/** Of one resource. */
export function topicOf(uri: string): (topics: Topics) => Destination {
  return (topics) => topics.resource(uri)
}

/** Of a resource and those below it. */
export function topicsBelow(uri: string): (topics: Topics) => Destination {
  return (topics) => {
    const own = topics.resource(uri)
    // MQTT 3.1.1 §4.7.1: this is the level above it too.
    return { ...own, topic: `${own.topic}/#` }
  }
}

export function unknownResource(uri: string): AppError {
  return new AppError("unknown_resource", `There is no resource ${shown(uri)}.`)
}

const maxShown = 200

/** In quotes, with nothing in it that a terminal obeys. */
export function shown(text: string): string {
  return escapeName(JSON.stringify(text.length > maxShown ? `${text.slice(0, maxShown)}…` : text))
}
