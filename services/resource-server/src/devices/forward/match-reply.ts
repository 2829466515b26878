import { createContext, Script } from "node:vm"
import { AppError } from "@serialcast/contract"

/** What a device says is looked at up to here, in bytes: it may be anything. */
const maxLineBytes = 4_096
/** A pattern that goes back and forth, as (a+)+b, would take longer than the device lives; so long everything else waits. */
const matchMs = 50

const search = new Script("pattern.exec(text)")
const context = createContext({})

/**
 * What a line answers: the first group of `pattern`, or the line where it has none; null: it is another one. Throws
 * `device_silent` when that does not show in time.
 */
export function matchReply(pattern: RegExp, line: Uint8Array): Uint8Array | null {
  if (line.byteLength > maxLineBytes) return null
  const found = searchFor(pattern, new TextDecoder().decode(line))
  if (found === null) return null
  const [, group] = found
  return group === undefined ? line : new TextEncoder().encode(group)
}

function searchFor(pattern: RegExp, text: string): RegExpExecArray | null {
  Object.assign(context, { pattern, text })
  try {
    return search.runInContext(context, { timeout: matchMs }) as RegExpExecArray | null
  } catch (cause) {
    const message = `The device answered what reply: ${pattern.source.slice(0, 100)} takes too long to look at. Write it without repetitions in repetitions.`
    throw new AppError("device_silent", message, { cause })
  }
}
