import { AppError, maxPublishedBytes } from "@serialcast/contract"
import {
  checkChange,
  defaultChildMethods,
  encodeResource,
  entityTagOf,
  GET,
  type Resource,
  ResourceError,
} from "@serialcast/resources"
import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { connectionOptions } from "../gateway/connect.ts"
import { listenToResources, type Word } from "./kept-words.ts"
import { parseMethods } from "./method-names.ts"
import { readWord } from "./read-word.ts"
import { parseUri, topicOf } from "./resource-uri.ts"
import { setWord } from "./set-word.ts"
import { readValue } from "./value-input.ts"

export const resourceSetCommand = defineCommand({
  name: "resource set",
  summary: "Make a resource, or give one another value",
  operands: "<uri> [value]",
  maxOperands: 2,
  about: [
    "One that is there keeps its type and its methods, unless others are given. A new one is text/plain and takes GET only;\n" +
      "what POST makes below it takes GET, PUT and DELETE. It is done when the broker keeps it.",
    "Behind -- stands a value that begins with a dash.",
  ],
  options: {
    ...connectionOptions,
    file: { type: "string", value: "file", help: "The content of a file as the value; - is standard input" },
    type: { type: "string", short: "t", value: "type", help: "Its media type, like application/json" },
    methods: {
      type: "string",
      value: "list",
      help: "What it may be asked over HTTP: of GET,PUT,POST,DELETE",
    },
    "child-methods": { type: "string", value: "list", help: "The same for what POST makes below it" },
  },
  examples: [
    ["serialcast resource set /temp 21.5", "A text"],
    [
      "serialcast resource set /temp '{\"c\":21.5}' --type application/json --methods GET,PUT",
      "That clients may set",
    ],
    ["serialcast resource set /photo --file photo.jpg --type image/jpeg", "A file"],
    ["uptime | serialcast resource set /uptime --file -", "What comes"],
    ["serialcast resource set /offset -- -5", "What begins with a dash"],
  ],
  async run({ values, operands: [given, text] }, context) {
    const uri = parseUri(given)
    const wishes = {
      contentType: values.type,
      methods: bitsOf("methods", values.methods),
      childMethods: bitsOf("child-methods", values["child-methods"]),
    }
    if (wishes.contentType !== undefined) refuseNoType(uri, wishes.contentType)
    const value = await readValue({ text, file: values.file }, context)
    await using kept = await listenToResources(values, topicOf(uri), context)
    await kept.settled(() => kept.words.has(uri))
    const now = standing(uri, kept.words.get(uri))
    const resource = changed(now, { ...wishes, value, changedAt: context.clock.nowMs() })
    refuseTooLong(resource)
    await setWord(kept, resource)
    return exitCodes.done
  },
})

interface Wishes {
  readonly contentType: string | undefined
  readonly methods: number | undefined
  readonly childMethods: number | undefined
  readonly value: Uint8Array
  readonly changedAt: number
}

/** What is there keeps what nobody wants otherwise. */
function changed(now: Resource, { value, changedAt, ...wishes }: Wishes): Resource {
  const { contentType = now.contentType, methods = now.methods, childMethods = now.childMethods } = wishes
  const etag = entityTagOf(contentType, value)
  return { ...now, contentType, methods, childMethods, value, changedAt, etag }
}

/** What is there, or what a new one begins with, also where something stands that is none. */
function standing(uri: string, word: Word | undefined): Resource {
  try {
    return readWord(uri, word)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return {
      uri,
      contentType: "text/plain",
      value: new Uint8Array(0),
      methods: GET,
      childMethods: defaultChildMethods,
      etag: "",
      serial: 0,
      changedAt: 0,
      origin: "api",
    }
  }
}

function bitsOf(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseMethods(option, text)
}

/** Throws `UsageError`. */
function refuseNoType(uri: string, contentType: string): void {
  try {
    checkChange({ kind: "addChild", parent: uri, contentType, value: new Uint8Array(0) })
  } catch (cause) {
    if (!(cause instanceof ResourceError)) throw cause
    throw new UsageError(`--type: ${cause.message}`, { cause })
  }
}

/** Throws `too_large`. */
function refuseTooLong(resource: Resource): void {
  if (Buffer.byteLength(encodeResource(resource)) <= maxPublishedBytes) return
  throw new AppError("too_large", `The value does not fit into a message of ${maxPublishedBytes} bytes.`)
}
