import {
  type Command,
  encodeCommand,
  maxTimeMs,
  parseCommand,
  ResourceError,
  whyNotUri,
} from "@serialcast/resources"
import { parseRecord } from "./record.ts"

/** What a replica says to all, itself too, on the one topic whose order makes them alike. */
export type ReplicaMessage = Change | Adoption | Hello | Fetch

interface Said {
  /** The replica that says it, by its client id. */
  readonly by: string
  /** What this replica knows it by. */
  readonly id: string
}

export interface Change extends Said {
  readonly kind: "change"
  readonly command: Command
}

/** Somebody else's words on a resource's topic are to count. */
export interface Adoption extends Said {
  readonly kind: "adopt"
  /** Wall time in milliseconds. */
  readonly at: number
  readonly maxUri: number
  readonly uri: string
  /** The JSON that stood there; empty: the resource was taken away. */
  readonly text: string
}

/** A replica is new, and asks who knows all that came before this. */
export interface Hello extends Said {
  readonly kind: "hello"
}

/** It wants of `from` what that one knew at its hello of this id. */
export interface Fetch extends Said {
  readonly kind: "fetch"
  readonly from: string
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** A line of JSON; for a change and an adoption its text follows. */
export function encodeMessage(message: ReplicaMessage): Uint8Array {
  const [head, body] = split(message)
  return new TextEncoder().encode(`${JSON.stringify(head)}\n${body}`)
}

function split(message: ReplicaMessage): readonly [head: object, body: string] {
  switch (message.kind) {
    case "change": {
      const { command, ...head } = message
      return [head, encodeCommand(command)]
    }
    case "adopt": {
      const { text, ...head } = message
      return [head, text]
    }
    case "hello":
    case "fetch":
      return [message, ""]
  }
}

/** Throws `bad_json`: anybody can publish there. */
export function parseMessage(payload: Uint8Array): ReplicaMessage {
  const { head, body } = splitText(decode(payload))
  const said = { by: text(head, "by"), id: text(head, "id") }
  const kind = text(head, "kind")
  switch (kind) {
    case "change":
      return { kind, ...said, command: parseCommand(body) }
    case "adopt": {
      const uri = text(head, "uri")
      const why = whyNotUri(uri)
      if (why !== undefined) throw bad(why)
      if (body !== "") parseRecord(body, uri, 0)
      return {
        kind,
        ...said,
        at: count(head, "at", maxTimeMs),
        maxUri: count(head, "maxUri"),
        uri,
        text: body,
      }
    }
    case "hello":
      return { kind, ...said }
    case "fetch":
      return { kind, ...said, from: text(head, "from") }
    default:
      throw bad(`Expected a kind of message; found ${JSON.stringify(kind.slice(0, 60))}.`)
  }
}

/** What a replica answers to a hello and a fetch, on the other's reply topic. */
export type ReplicaAnswer = Here | Part

/** "I know all that was said before your hello." */
export interface Here {
  readonly kind: "here"
  readonly id: string
  readonly from: string
  /** It knows all since then, wall time in milliseconds. */
  readonly since: number
}

/** Some of the records, each a line of its own. */
export interface Part {
  readonly kind: "part"
  readonly id: string
  readonly from: string
  /** From 0. */
  readonly part: number
  readonly parts: number
  readonly rev: number
  readonly lines: readonly string[]
}

export function encodeAnswer(answer: ReplicaAnswer): Uint8Array {
  const { lines, ...head } = answer.kind === "part" ? answer : { ...answer, lines: [] }
  return new TextEncoder().encode([JSON.stringify(head), ...lines].join("\n"))
}

/** undefined: it is something else, as the reply topic has much to hear. */
export function parseAnswer(payload: Uint8Array): ReplicaAnswer | undefined {
  try {
    const { head, body } = splitText(decode(payload))
    const [id, from, kind] = [text(head, "id"), text(head, "from"), text(head, "kind")]
    if (kind === "here") return { kind, id, from, since: count(head, "since") }
    if (kind !== "part") return undefined
    const [part, parts, rev] = [count(head, "part"), count(head, "parts"), count(head, "rev")]
    return { kind, id, from, part, parts, rev, lines: body === "" ? [] : body.split("\n") }
  } catch {
    return undefined
  }
}

function splitText(all: string): { readonly head: Readonly<Record<string, unknown>>; readonly body: string } {
  const end = all.indexOf("\n")
  return { head: parseObject(end < 0 ? all : all.slice(0, end)), body: end < 0 ? "" : all.slice(end + 1) }
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(line)
    if (typeof found === "object" && found !== null) return found as Readonly<Record<string, unknown>>
  } catch {
    // Told below, as anything else that is none.
  }
  throw bad("Expected a line with a JSON object.")
}

function decode(payload: Uint8Array): string {
  try {
    return decoder.decode(payload)
  } catch (cause) {
    throw new ResourceError("bad_json", "Expected UTF-8.", { cause })
  }
}

function text(head: Readonly<Record<string, unknown>>, name: string): string {
  const found = head[name]
  if (typeof found !== "string") throw bad(`Expected text as ${name}.`)
  return found
}

function count(head: Readonly<Record<string, unknown>>, name: string, max = Number.MAX_SAFE_INTEGER): number {
  const found = head[name]
  if (!Number.isSafeInteger(found) || (found as number) < 0 || (found as number) > max)
    throw bad(`Expected a count as ${name}.`)
  return found as number
}

function bad(message: string): ResourceError {
  return new ResourceError("bad_json", message)
}
